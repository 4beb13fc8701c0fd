import type { StepWait } from '../contracts/documents.ts';
import { signResumeLink, verifyResumeLink } from '../domain/resume-link.ts';
import type { ResumeLinkVerdict } from '../domain/resume-link.ts';
import type { StepRef } from '../gcp/run-documents.ts';
import type { SecretStore } from '../gcp/secret-store.ts';
import { linkSigningKey } from './link-signing-key.ts';

/** Signed addresses that wake a waiting step, with the key from Secret Manager. */
export interface ResumeLinks {
  /** Address of `connect-meta` at which the client says that it has acted; works once, 7 days at most. */
  readonly urlFor: (ref: StepRef, wait: Pick<StepWait, 'linkNumber' | 'expiresAt'>) => Promise<string>;
  readonly verify: (ref: StepRef, link: string) => Promise<ResumeLinkVerdict>;
}

/** @param baseUrl the address of `connect-meta` */
export function createResumeLinks(options: {
  secrets: Pick<SecretStore, 'latest'>;
  now: () => Date;
  baseUrl: string;
}): ResumeLinks {
  const { secrets, now, baseUrl } = options;
  return {
    async urlFor({ tenantId, runId, step }, { linkNumber, expiresAt }) {
      const key = await linkSigningKey(secrets);
      const link = signResumeLink(key, { tenantId, runId, step, linkNumber }, now(), expiresAt);
      const query = new URLSearchParams({ tenant: tenantId, run: runId, step, link });
      return `${baseUrl}/resume?${query.toString()}`;
    },
    verify: async (ref, link) => verifyResumeLink(await linkSigningKey(secrets), ref, link, now()),
  };
}
