import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { paths } from '../../../shared/contracts/documents.ts';
import { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import { createRelayBreaker } from '../../../shared/gcp/relay-breaker.ts';
import { SecretChanges } from '../../../shared/gcp/secret-changes.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import type { Notification } from '../../../test/local/google/secret-manager/notifications.ts';
import { scopes, secretId, startTokenWorld, tenantId } from '../../../test/tokens/token-world.ts';
import type { TokenProcess, TokenWorld } from '../../../test/tokens/token-world.ts';
import { fanOut } from './fan-out.ts';

const hourMs = 60 * 60_000;
const now = (): Date => world.clock.now;

let world: TokenWorld;
let process: TokenProcess;
/** What Secret Manager told since the last look. */
const told: Notification[] = [];
beforeAll(async () => {
  world = await startTokenWorld({ publish: (_, message) => void told.push(message) });
});
beforeEach(async () => {
  await world.reset();
  told.length = 0;
  process = world.open();
});
afterAll(() => world.close());

const later = (ms: number): void => void (world.clock.now = new Date(world.clock.now.getTime() + ms));

async function push(message: Pick<Notification, 'attributes'>): Promise<void> {
  await fanOut(() => ({
    changes: new SecretChanges(world.db, now),
    secrets: process.secrets,
    breaker: createRelayBreaker(world.db, { now }),
    deadLetters: new DeadLetterStore(world.db, now),
    log: createLogger({ level: 'silent', functionName: 'test' }),
  }))({
    specversion: '1.0',
    id: '1',
    source: 'pubsub',
    type: 'google.cloud.pubsub.topic.v1.messagePublished',
    data: { message: { attributes: message.attributes, data: '', messageId: '1' } },
  });
}

/** Delivers everything that was told, each twice and the newest first. */
async function deliverAll(): Promise<void> {
  for (const message of told.splice(0).toReversed()) {
    await push(message);
    await push(message);
  }
}

const isHeld = async (): Promise<boolean> => (await world.db.doc(paths.relayBreaker(tenantId)).get()).exists;
const revisionOf = async (id: string): Promise<number> =>
  Number((await world.db.doc(paths.secretInUse(id)).get()).get('revision') ?? 0);

describe('token-fanout', () => {
  it('makes a reader that remembers read again, for any secret', async () => {
    const reader = world.open().secrets;
    await process.secrets.add('connect-state-key', 'old', {});
    expect((await reader.latest('connect-state-key'))?.value).toBe('old');
    await process.secrets.add('connect-state-key', 'new', {});
    later(3_000);
    expect((await reader.latest('connect-state-key'))?.value).toBe('old');
    await deliverAll();
    later(3_000);
    expect((await reader.latest('connect-state-key'))?.value).toBe('new');
  });

  it('never moves readers to a version that was added and not verified', async () => {
    await process.mint.mint(world.request(null));
    await process.secrets.add(secretId, 'EAASIMnobodys', {});
    await deliverAll();
    expect(await world.record()).toMatchObject({ version: '1', verdict: { state: 'ok' } });
    later(3_000);
    expect((await process.secrets.latest(secretId))?.version).toBe('1');
  });

  it('does not take what a mint under way has added for a way out', async () => {
    await process.mint.mint(world.request(null));
    const hold = process.holdBefore('lease.switchTo');
    const minting = process.mint.mint(world.request('1'));
    await hold.reached;
    await process.secrets.destroy(secretId, '1');
    await deliverAll();
    expect((await world.record())?.version).toBe('1');
    expect(await isHeld()).toBe(true);
    hold.go();
    expect(await minting).toEqual({ version: '2' });
    expect(await world.record()).toMatchObject({ version: '2', wait: null, verdict: { state: 'ok' } });
  });

  it('falls back to the replaced version during its grace, not to one being disabled', async () => {
    await process.mint.mint(world.request(null));
    await process.mint.mint(world.request('1'));
    await process.secrets.disable(secretId, '2');
    await deliverAll();
    expect(await world.record()).toMatchObject({ version: '1', retiring: [], wait: null });
    expect(await isHeld()).toBe(false);

    await process.mint.mint(world.request('1'));
    later(hourMs);
    await process.lease.dueToRetire(tenantId);
    await process.secrets.destroy(secretId, (await world.record())?.version ?? '');
    await deliverAll();
    expect(await world.record()).toMatchObject({ wait: { on: 'kobi', for: 'token-version' } });
  });

  it('stops the tenant when nothing usable is left, and starts it when the version is enabled again', async () => {
    await process.mint.mint(world.request(null));
    await process.secrets.disable(secretId, '1');
    await deliverAll();
    const lost = { version: '1', verdict: { state: 'dead' }, wait: { on: 'kobi', for: 'token-version' } };
    expect(await world.record()).toMatchObject(lost);
    expect(await isHeld()).toBe(true);
    later(3_000);
    expect(await process.secrets.latest(secretId)).toBeUndefined();

    await world.enable('1');
    await deliverAll();
    expect(await world.record()).toMatchObject({ version: '1', verdict: null, wait: null });
    expect(await isHeld()).toBe(false);
    later(3_000);
    expect((await process.secrets.latest(secretId))?.version).toBe('1');
  });

  it('starts it too when a person adds a version', async () => {
    await process.mint.mint(world.request(null));
    const spare = world.issueToken(scopes);
    await process.secrets.destroy(secretId, '1');
    await deliverAll();
    await process.secrets.add(secretId, spare, {});
    await deliverAll();
    expect(await world.record()).toMatchObject({ version: '2', wait: null });
    expect(await isHeld()).toBe(false);
  });

  it('does nothing for what concerns no reader', async () => {
    await push({ attributes: { eventType: 'SECRET_ROTATE', secretId: 'projects/1/secrets/some' } });
    expect(await revisionOf('some')).toBe(0);
  });

  it('records what is no notification of Secret Manager as a dead letter, and acknowledges it', async () => {
    await push({ attributes: {} });
    const letters = await world.db.collection('deadLetters').get();
    expect(letters.docs.map((row) => row.get('topic'))).toEqual(['secret-notifications']);
  });
});
