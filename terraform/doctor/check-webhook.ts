import { randomBytes } from 'node:crypto';
import { notChecked, ok, told, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

const subject = 'webhook';
const patienceMs = 15_000;

/**
 * Subscribes as Meta does (Graph API, "Webhooks › Verification requests"): the right verify token must be answered with
 * the challenge, another must not.
 *
 * @param address undefined: this build has no webhook function
 */
export async function checkWebhook(address: string | undefined, verifyToken: string | undefined): Promise<Finding> {
  if (address === undefined) return notChecked(subject, 'this build has no function meta-webhook');
  if (verifyToken === undefined) return notChecked(subject, 'its verify token is missing, see the secrets');
  const mend = `Meta must reach ${address} from the internet: DNS record, certificate, load balancer, function; see terraform/README.md.`;
  const challenge = randomBytes(8).toString('hex');
  try {
    const right = await subscribe(address, verifyToken, challenge);
    if (right.status !== 200 || right.text !== challenge) {
      return wrong(subject, `answers a right challenge with ${right.status} instead of repeating it`, mend);
    }
    const stranger = await subscribe(address, randomBytes(16).toString('hex'), challenge);
    if (stranger.status === 200)
      return wrong(subject, 'takes any verify token', 'Deploy meta-webhook again: it must refuse.');
    return ok(subject, `${address} answers Meta's challenge and refuses others`);
  } catch (error) {
    return wrong(subject, `cannot be reached at ${address}: ${told(error)}`, mend);
  }
}

async function subscribe(address: string, token: string, challenge: string): Promise<{ status: number; text: string }> {
  const url = new URL(address);
  url.searchParams.set('hub.mode', 'subscribe');
  url.searchParams.set('hub.verify_token', token);
  url.searchParams.set('hub.challenge', challenge);
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(patienceMs) });
  return { status: answer.status, text: await answer.text() };
}
