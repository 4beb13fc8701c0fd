import type { StepName } from './provisioning-steps.ts';
import { stepDefinition } from './provisioning-steps.ts';
import { isSignatureOf, signText } from './signed-text.ts';

/**
 * The signed text that lets whoever was asked to act wake exactly one waiting step of one tenant's run. It is good once:
 * its number is that of the wait's next link, and using a link raises it.
 */

/** How long a resume link works; every reminder and every look at the tenant gives a fresh one. */
const resumeLinkLifeMs = 7 * 24 * 60 * 60 * 1000;

const purpose = 'resume-wait';

/** The step a link wakes, and which of its links it is. */
export interface ResumeTarget {
  readonly tenantId: string;
  readonly runId: string;
  readonly step: StepName;
  readonly linkNumber: number;
}

export type ResumeLinkVerdict =
  { readonly kind: 'valid'; readonly linkNumber: number } | { readonly kind: 'expired' | 'invalid' };

/** `<number>.<expiry in Unix seconds>.<signature>`. It never outlives the wait itself (`waitExpiresAt`). */
export function signResumeLink(key: string, target: ResumeTarget, now: Date, waitExpiresAt: string | null): string {
  const waitEndsMs = waitExpiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(waitExpiresAt);
  const expiresAtSeconds = Math.floor(Math.min(now.getTime() + resumeLinkLifeMs, waitEndsMs) / 1000);
  return `${target.linkNumber}.${expiresAtSeconds}.${signText(key, purpose, signedText(target, expiresAtSeconds))}`;
}

/** Whether the text was signed for this step of this tenant. That it was not used yet is the step document's matter. */
export function verifyResumeLink(
  key: string,
  step: Omit<ResumeTarget, 'linkNumber'>,
  link: string,
  now: Date,
): ResumeLinkVerdict {
  const [, number, expiry, signature] = /^(\d{1,9})\.(\d{1,12})\.([\w-]{43})$/.exec(link) ?? [];
  if (number === undefined || expiry === undefined || signature === undefined) return { kind: 'invalid' };
  const linkNumber = Number(number);
  if (!isSignatureOf(signature, key, purpose, signedText({ ...step, linkNumber }, Number(expiry)))) {
    return { kind: 'invalid' };
  }
  return Number(expiry) * 1000 > now.getTime() ? { kind: 'valid', linkNumber } : { kind: 'expired' };
}

/**
 * Whether a resume link is sent for a wait: the client must act, and not by connecting Meta (that wakes the steps of the
 * client's own token by itself).
 */
export function hasResumeLink(step: StepName, wait: { readonly on: string }): boolean {
  return wait.on === 'client' && stepDefinition(step).credential !== 'user';
}

function signedText({ tenantId, runId, step, linkNumber }: ResumeTarget, expiresAtSeconds: number): string {
  return [tenantId, runId, step, linkNumber, expiresAtSeconds].join('\n');
}
