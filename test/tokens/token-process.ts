/**
 * One instance of a function as far as tokens go, in a process of its own: it mints when told to, or reads a secret as
 * often as a busy sender does and says whenever what it reads changes. Addresses come as JSON in its only argument.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { openSecrets } from '../../shared/gcp/open-secrets.ts';
import { TokenLease } from '../../shared/gcp/token-lease.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { createTokenMint } from '../../shared/runtime/token-mint.ts';
import type { MintRequest } from '../../shared/runtime/token-mint.ts';
import { seed } from '../simulator/seed.ts';

export interface ProcessFacts {
  readonly projectId: string;
  readonly secretManagerHost: string;
  readonly graphUrl: string;
  readonly leaseMs: number;
}

export type Command =
  | { readonly kind: 'mint'; readonly callers: number; readonly request: MintRequest }
  | { readonly kind: 'read'; readonly secretId: string };

/** Never the token itself: what two processes read is compared by its digest. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'minted'; readonly versions: string[]; readonly failures: string[] }
  | { readonly kind: 'reads'; readonly version: string | null; readonly digest: string | null };

const facts = JSON.parse(process.argv[2] ?? '') as ProcessFacts;
const now = (): Date => new Date();
const db = connectFirestore(facts.projectId);
const secrets = openSecrets({ projectId: facts.projectId, emulatorHost: facts.secretManagerHost, db, now });
const credentials = createTenantCredentials({ secrets });
const graph = createGraphClient({
  baseUrl: facts.graphUrl,
  appSecret: () => credentials.appSecret(),
  now: () => Date.now(),
});
const lease = new TokenLease({ db, now, leaseMs: facts.leaseMs });

const report = (message: Report): void => void process.send?.(message);

async function mint({ callers, request }: Extract<Command, { kind: 'mint' }>): Promise<void> {
  // Five groups of callers that share nothing but the lease; within a group they share the mint, as in one instance.
  const mints = Array.from({ length: 5 }, () =>
    createTokenMint({ lease, secrets, graph, credentials, appId: seed.appId, now }),
  );
  const all = Array.from({ length: callers }, async (_, caller) => mints[caller % mints.length]?.mint(request));
  const ended = await Promise.allSettled(all);
  report({
    kind: 'minted',
    versions: ended.flatMap((one) =>
      one.status === 'fulfilled' && one.value !== undefined ? [one.value.version] : [],
    ),
    failures: ended.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
  });
}

async function read(secretId: string): Promise<never> {
  let before: string | null | undefined;
  for (;;) {
    const found = await secrets.latest(secretId);
    const digest = found === undefined ? null : createHash('sha256').update(found.value).digest('hex');
    if (digest !== before) report({ kind: 'reads', version: found?.version ?? null, digest });
    before = digest;
    await delay(50);
  }
}

process.on('message', (command: Command) => {
  const work = command.kind === 'mint' ? mint(command) : read(command.secretId);
  work.catch((error: unknown) => report({ kind: 'minted', versions: [], failures: [String(error)] }));
});
process.on('disconnect', () => process.exit());
report({ kind: 'ready' });
