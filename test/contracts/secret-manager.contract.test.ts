/**
 * What the product relies on from Secret Manager, through the real client over gRPC. Google offers no emulator of it, so the embedded
 * one is held against the documented behaviour (pages "Etags", "Data integrity", "Set up notifications on a secret").
 */
import { PubSub } from '@google-cloud/pubsub';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordConnectedHosts } from '../local/google/pubsub/connected-hosts.ts';
import { ManualClock } from '../local/google/local-clock.ts';
import { startEmbeddedPubsub, type EmbeddedPubsub } from '../local/google/pubsub/embedded-pubsub.ts';
import { crc32c } from '../local/google/secret-manager/crc32c.ts';
import {
  secretManagerClientOptions,
  startEmbeddedSecretManager,
  type EmbeddedSecretManager,
} from '../local/google/secret-manager/embedded-secret-manager.ts';

const parent = 'projects/kobi-contract';
const automatic = { replication: { automatic: {} } };
const connectedHosts = recordConnectedHosts();
const clock = new ManualClock();
let secretManager: EmbeddedSecretManager;
let pubsub: EmbeddedPubsub;
let client: SecretManagerServiceClient;
let name: string;
let secrets = 0;

beforeAll(async () => {
  pubsub = await startEmbeddedPubsub({ clock, projectId: 'kobi-contract' });
  secretManager = await startEmbeddedSecretManager({
    clock,
    publish: (topic, message) => pubsub.publish(topic, message),
  });
  client = new SecretManagerServiceClient(secretManagerClientOptions(secretManager.host));
  const topics = new PubSub({
    projectId: 'kobi-contract',
    apiEndpoint: pubsub.host,
    clientOptions: { universeDomain: 'googleapis.com' },
  });
  await topics.createTopic('secret-events');
  await topics.close();
});

beforeEach(async () => {
  const [secret] = await client.createSecret({ parent, secretId: `secret-${++secrets}`, secret: automatic });
  name = secret.name ?? '';
});

afterAll(async () => {
  await client.close();
  await secretManager.close();
  await pubsub.close();
});

async function addVersion(text: string, secret: string = name): Promise<string> {
  const [version] = await client.addSecretVersion({ parent: secret, payload: { data: Buffer.from(text) } });
  return version.name ?? '';
}

async function read(version: string): Promise<string> {
  const [{ payload }] = await client.accessSecretVersion({ name: `${name}/versions/${version}` });
  return Buffer.from(payload?.data ?? '').toString();
}

const code = (number: number, message?: RegExp): object => ({
  code: number,
  ...(message && { message: expect.stringMatching(message) }),
});

describe('versions', () => {
  it('a version reads back as written, with its CRC-32C, by number and as latest', async () => {
    expect(await addVersion('tökén-1')).toBe(`${name}/versions/1`);
    await addVersion('token-2');
    expect([await read('1'), await read('2'), await read('latest')]).toEqual(['tökén-1', 'token-2', 'token-2']);
    const [{ name: resolved, payload }] = await client.accessSecretVersion({ name: `${name}/versions/latest` });
    expect(resolved).toBe(`${name}/versions/2`);
    expect(Number(payload?.dataCrc32c)).toBe(crc32c(Buffer.from('token-2')));
  });

  it('the checksum is CRC-32C by its published check value', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('a payload damaged on the way is refused, and one that is whole is marked as checked', async () => {
    const data = Buffer.from('token');
    const damaged = client.addSecretVersion({ parent: name, payload: { data, dataCrc32c: crc32c(data) + 1 } });
    await expect(damaged).rejects.toMatchObject(code(3));
    const [version] = await client.addSecretVersion({ parent: name, payload: { data, dataCrc32c: crc32c(data) } });
    expect(version).toMatchObject({
      name: `${name}/versions/1`,
      clientSpecifiedPayloadChecksum: true,
      state: 'ENABLED',
    });
  });

  it('64 KiB fit and one byte more does not', async () => {
    await client.addSecretVersion({ parent: name, payload: { data: Buffer.alloc(65_536, 'x') } });
    const over = client.addSecretVersion({ parent: name, payload: { data: Buffer.alloc(65_537, 'x') } });
    await expect(over).rejects.toMatchObject(code(3));
  });

  it('a disabled version answers FAILED_PRECONDITION, even as latest, until enabled again', async () => {
    await addVersion('old');
    const newest = await addVersion('new');
    await client.disableSecretVersion({ name: newest });
    const inState = code(9, /Secret Version \[.*\/versions\/2\] is in DISABLED state\./);
    await expect(read('2')).rejects.toMatchObject(inState);
    await expect(read('latest')).rejects.toMatchObject(inState);
    expect(await read('1')).toBe('old');
    await client.enableSecretVersion({ name: newest });
    expect(await read('latest')).toBe('new');
  });

  it('a destroyed version never comes back and its payload is nowhere', async () => {
    const version = await addVersion('canary-payload');
    const [destroyed] = await client.destroySecretVersion({ name: version });
    expect(destroyed).toMatchObject({ state: 'DESTROYED', destroyTime: { seconds: String(clock.nowMs() / 1000) } });
    await expect(read('1')).rejects.toMatchObject(code(9, /is in DESTROYED state/));
    await expect(client.enableSecretVersion({ name: version })).rejects.toMatchObject(code(9));
    expect(JSON.stringify(secretManager.dump())).not.toContain('canary-payload');
    expect(await addVersion('next')).toBe(`${name}/versions/2`);
  });

  it('what does not exist is NOT_FOUND: a secret, a version, latest of none', async () => {
    await expect(read('latest')).rejects.toMatchObject(code(5, /not found or has no versions/));
    await addVersion('x');
    await expect(read('7')).rejects.toMatchObject(code(5, /Secret Version \[.*\/versions\/7\] not found/));
    await expect(client.getSecret({ name: `${parent}/secrets/none` })).rejects.toMatchObject(code(5));
    await expect(addVersion('x', `${parent}/secrets/none`)).rejects.toMatchObject(code(5));
  });

  it('versions are listed newest first, and by state', async () => {
    const first = await addVersion('1');
    const second = await addVersion('2');
    await client.disableSecretVersion({ name: first });
    const [all] = await client.listSecretVersions({ parent: name });
    expect(all.map((version) => version.name)).toEqual([second, first]);
    const [enabled] = await client.listSecretVersions({ parent: name, filter: 'state:ENABLED' });
    expect(enabled.map((version) => version.name)).toEqual([second]);
  });

  it('an alias reads the version it names, once moved the other one', async () => {
    await addVersion('1');
    await addVersion('2');
    const point = (number: number): Promise<unknown> =>
      client.updateSecret({
        secret: { name, versionAliases: { live: number } },
        updateMask: { paths: ['version_aliases'] },
      });
    await point(1);
    expect(await read('live')).toBe('1');
    await point(2);
    expect(await read('live')).toBe('2');
    await expect(point(3)).rejects.toMatchObject(code(3));
  });
});

describe('secrets', () => {
  it('a second secret of a name is ALREADY_EXISTS, one without replication INVALID_ARGUMENT', async () => {
    const secretId = name.slice(name.lastIndexOf('/') + 1);
    await expect(client.createSecret({ parent, secretId, secret: automatic })).rejects.toMatchObject(
      code(6, /already exists/),
    );
    await expect(client.createSecret({ parent, secretId: 'bare', secret: {} })).rejects.toMatchObject(code(3));
  });

  it('secrets are found by part of their name and by label, page by page', async () => {
    for (const tenant of ['a', 'b', 'c']) {
      const secret = { ...automatic, labels: { tenant, kind: 'find-me' } };
      await client.createSecret({ parent, secretId: `meta-${tenant}-system-token`, secret });
    }
    const found = async (filter: string): Promise<string[]> => {
      const [all] = await client.listSecrets({ parent, filter, pageSize: 2 });
      return all.map((secret) => secret.labels?.['tenant'] ?? '').sort();
    };
    expect(await found('name:system-token')).toEqual(['a', 'b', 'c']);
    expect(await found('labels.tenant=b')).toEqual(['b']);
    expect(await found('name:meta-a AND labels.kind=find-me')).toEqual(['a']);
    await expect(found('create_time>2026')).rejects.toMatchObject(code(3));
  });

  it('an update with a stale etag changes nothing', async () => {
    const [read1] = await client.getSecret({ name });
    const change = (etag: string, by: string): Promise<unknown> =>
      client.updateSecret({ secret: { name, etag, labels: { by } }, updateMask: { paths: ['labels'] } });
    await change(read1.etag ?? '', 'first');
    await expect(change(read1.etag ?? '', 'second')).rejects.toMatchObject(code(9, /etag/));
    const [{ labels }] = await client.getSecret({ name });
    expect(labels).toEqual({ by: 'first' });
  });

  it('of two who disable a version by the same etag one fails', async () => {
    const version = await addVersion('x');
    const [{ etag }] = await client.getSecretVersion({ name: version });
    const disable = (): Promise<unknown> => client.disableSecretVersion({ name: version, etag: etag ?? '' });
    const results = await Promise.allSettled([disable(), disable()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('a deleted secret is gone with its versions', async () => {
    await addVersion('x');
    await client.deleteSecret({ name });
    await expect(read('1')).rejects.toMatchObject(code(5));
    await expect(client.getSecret({ name })).rejects.toMatchObject(code(5));
    expect(secretManager.dump().map((secret) => secret.name)).not.toContain(name);
  });

  it('a secret with a ttl deletes itself', async () => {
    const secret = { ...automatic, ttl: { seconds: 3600 } };
    const [expiring] = await client.createSecret({ parent, secretId: 'expiring', secret });
    expect(expiring.expireTime?.seconds).toBe(String(clock.nowMs() / 1000 + 3600));
    clock.advance(3_599_999);
    await client.getSecret({ name: expiring.name ?? '' });
    clock.advance(1);
    await expect(client.getSecret({ name: expiring.name ?? '' })).rejects.toMatchObject(code(5));
  });
});

describe('notifications', () => {
  it('everything that happens to a secret is announced on its topics, and no payload with it', async () => {
    const topics = [{ name: 'projects/kobi-contract/topics/secret-events' }];
    const [secret] = await client.createSecret({ parent, secretId: 'watched', secret: { ...automatic, topics } });
    const watched = secret.name ?? '';
    const version = await addVersion('canary-token', watched);
    await client.disableSecretVersion({ name: version });
    await client.enableSecretVersion({ name: version });
    await client.destroySecretVersion({ name: version });
    await client.updateSecret({ secret: { name: watched, labels: { a: 'b' } }, updateMask: { paths: ['labels'] } });
    await client.deleteSecret({ name: watched });
    const messages = pubsub.published('secret-events');
    expect(messages.map(({ attributes }) => attributes['eventType'])).toEqual([
      'SECRET_CREATE',
      'SECRET_VERSION_ADD',
      'SECRET_VERSION_DISABLE',
      'SECRET_VERSION_ENABLE',
      'SECRET_VERSION_DESTROY',
      'SECRET_UPDATE',
      'SECRET_DELETE',
    ]);
    expect(messages[1]?.attributes).toEqual({
      eventType: 'SECRET_VERSION_ADD',
      dataFormat: 'JSON_API_V1',
      secretId: watched,
      versionId: version,
      timestamp: new Date(clock.nowMs()).toISOString(),
    });
    expect(messages[1]?.json).toMatchObject({ name: version, state: 'ENABLED' });
    expect(messages[5]?.json).toMatchObject({ name: watched, labels: { a: 'b' }, topics });
    expect(messages[6]?.attributes).toMatchObject({ deleteType: 'REQUESTED' });
    expect(messages.map(({ text }) => text).join()).not.toContain('canary-token');
  });
});

describe('the client', () => {
  it('never looks for a metadata server or a Google sign-in', () => {
    expect([...connectedHosts]).toEqual(['127.0.0.1']);
  });
});
