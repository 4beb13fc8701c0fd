import { afterEach, expect, it } from 'vitest';
import { startDnsServer } from '../../test/local/dns-server.ts';
import type { DnsServer } from '../../test/local/dns-server.ts';
import { createTxtLookup } from './txt-lookup.ts';

const zone: Record<string, string[]> = {
  'acme.example': ['v=spf1 -all', 'facebook-domain-verification=abc123'],
  'long.example': ['x'.repeat(600)],
};

let server: DnsServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const lookUp = async (name: string, txtOf = async (of: string): Promise<string[]> => zone[of] ?? []) => {
  server = await startDnsServer(txtOf);
  return createTxtLookup({ server: server.host })(name);
};

it('every TXT record of a name is read, also one that DNS splits', async () => {
  expect(await lookUp('acme.example')).toEqual({ kind: 'found', values: zone['acme.example'] });
  await server?.close();
  expect(await lookUp('long.example')).toEqual({ kind: 'found', values: zone['long.example'] });
});

it('a name without a record is not taken for trouble', async () => {
  expect(await lookUp('nothing.example')).toEqual({ kind: 'none' });
});

it('a server that fails proves nothing about the record', async () => {
  expect(await lookUp('acme.example', () => Promise.reject(new Error('down')))).toEqual({ kind: 'unknown' });
});
