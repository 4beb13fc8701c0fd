import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { paths } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { secretManagerClientOptions } from '../local/google/secret-manager/embedded-secret-manager.ts';
import { startStack } from '../local/stack.ts';
import type { Stack } from '../local/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ port: 0, simulatorPort: 0, onLogLine: () => undefined });
});
afterAll(() => stack.close());

it('a secret changed in Secret Manager is known to its readers, by way of Pub/Sub and token-fanout', async () => {
  const { hosts, projectId } = stack.google;
  const client = new SecretManagerServiceClient(secretManagerClientOptions(hosts.secretManager));
  const db = connectFirestore(projectId);
  const inUse = db.doc(paths.secretInUse(secretName.appSecret));
  const revision = async (): Promise<number> => Number((await inUse.get()).get('revision') ?? 0);
  await stack.google.pubsub?.idle();
  const before = await revision();
  const parent = client.secretPath(projectId, secretName.appSecret);
  await client.addSecretVersion({ parent, payload: { data: Buffer.from('the next app secret') } });
  await vi.waitFor(async () => expect(await revision()).toBeGreaterThan(before), { timeout: 10_000 });
  await Promise.all([client.close(), db.terminate()]);
});

it('token-check answers its schedule', async () => {
  expect(await stack.runSchedule('token-check')).toMatchObject({ ok: 0, unknown: 0, left: 0 });
});
