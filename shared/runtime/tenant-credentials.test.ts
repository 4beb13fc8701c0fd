import { describe, expect, test } from 'vitest';
import { secretName } from '../domain/naming.ts';
import type { WaitParty } from '../domain/provisioning-steps.ts';
import { Waiting } from './outcomes.ts';
import { createTenantCredentials } from './tenant-credentials.ts';
import type { TenantCredentials } from './tenant-credentials.ts';

function credentialsWith(values: Record<string, string>): TenantCredentials {
  return createTenantCredentials({
    secrets: {
      latest: async (secretId) =>
        values[secretId] === undefined ? undefined : { version: '1', value: values[secretId] },
    },
  });
}

describe('tenant credentials', () => {
  test('each kind of token comes from its own secret and carries its kind', async () => {
    const credentials = credentialsWith({
      [secretName.userToken('acme')]: 'user-text',
      [secretName.systemToken('acme')]: 'child-text',
      [secretName.parentToken]: 'parent-text',
      [secretName.appSecret]: 'app-secret',
    });
    const tokens = [
      await credentials.user('acme'),
      await credentials.child('acme'),
      await credentials.parent(),
      await credentials.app('123'),
    ];
    expect(tokens.map((token) => [token.kind, token.reveal()])).toEqual([
      ['user', 'user-text'],
      ['child', 'child-text'],
      ['parent', 'parent-text'],
      ['app', '123|app-secret'],
    ]);
  });

  const absences: readonly [string, WaitParty, string, (from: TenantCredentials) => Promise<unknown>][] = [
    ['user', 'client', 'reconnect', (from) => from.user('acme')],
    ['child', 'kobi', 'child-token', (from) => from.child('acme')],
    ['parent', 'kobi', 'parent-token', (from) => from.parent()],
    ['app', 'kobi', 'app-secret', (from) => from.app('123')],
  ];
  test.each(absences)('a missing %s token waits on %s for %s', async (_kind, party, awaited, ask) => {
    const failure: unknown = await ask(credentialsWith({})).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Waiting);
    expect(failure).toMatchObject({ outcome: { wait: { on: party, for: awaited } } });
  });

  test('one tenant never gets the token of another', async () => {
    const credentials = credentialsWith({ [secretName.systemToken('acme')]: 'acme-text' });
    await credentials.child('acme');
    await expect(credentials.child('other')).rejects.toThrow('child-token');
  });

  test('the same token text is the same object, and a re-minted one is another', async () => {
    const values = { [secretName.systemToken('acme')]: 'first' };
    const credentials = credentialsWith(values);
    const first = await credentials.child('acme');
    expect(await credentials.child('acme')).toBe(first);
    values[secretName.systemToken('acme')] = 'second';
    expect((await credentials.child('acme')).reveal()).toBe('second');
  });

  test('a secret that was typed in with a line break still works', async () => {
    expect((await credentialsWith({ [secretName.parentToken]: 'parent-text\n' }).parent()).reveal()).toBe(
      'parent-text',
    );
  });
});
