/** Which function reads or writes which secret, and which permissions are asked for: least privilege, held against the code. */
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { childTokenPermissions, userPermissions } from '../../shared/meta/permissions.ts';
import { readManifests, repositoryRoot } from '../local/manifests.ts';

/** What in a behaviour's code means that a secret is used. Every call to Meta is signed with the app secret. */
const usesOf: readonly (readonly [secretId: string, use: RegExp])[] = [
  ['meta-{tenant}-user-token', /secretName\.userToken\b|credentials\.user\(/],
  [
    'meta-{tenant}-system-token',
    /secretName\.systemToken\b|credentials\.(?:child|operator)\(|\bsystemTokens\b|systemTokenPattern/,
  ],
  ['relay-{tenant}-key', /secretName\.relayKey\b/],
  ['meta-parent-token', /credentials\.(?:parent|operator)\(|\bsystemTokens\b/],
  ['meta-app-secret', /\bgraph\.as\(|\bsystemTokens\b|credentials\.app\(|createMetaLogin|await appSecret\(\)/],
  ['alert-webhook', /secretName\.alertWebhook\b/],
  ['connect-state-key', /createConnectLinks/],
  ['meta-webhook-verify-token', /secretName\.webhookVerifyToken\b/],
];

const functions = await readManifests();

describe('secrets', () => {
  test.each(functions.map(({ manifest, indexPath }) => [manifest.name, manifest.secrets, indexPath] as const))(
    'of %s in its manifest are exactly those its code uses',
    async (_, declared, indexPath) => {
      expect(declared.toSorted()).toEqual(await secretsUsedBy(indexPath));
    },
  );

  test('each has a row in the table that Terraform is written from', async () => {
    const readme = await readFile(join(repositoryRoot, 'functions/tokens/README.md'), 'utf8');
    const rows = Array.from(readme.matchAll(/^\| `([\w{}-]+)` +\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm));
    expect(rows.map(([, secretId]) => secretId)).toEqual(usesOf.map(([secretId]) => secretId));
    for (const [, secretId = '', , readers = '', adders = '', destroyers = ''] of rows) {
      const named = `${readers}${adders}${destroyers}`;
      const users = functions.filter(({ manifest }) => manifest.secrets.includes(secretId));
      for (const { manifest } of users) expect(named, secretId).toContain(`\`${manifest.name}\``);
    }
  });
});

describe('permissions', () => {
  test('of the client’s person and of the system user are these and no others, each for a reason', () => {
    const user = {
      business_management: 'creates the child business',
      ads_management: 'the child business is made for advertising',
      ads_read: 'reading what is advertised',
      pages_show_list: 'the person chooses among the Pages',
      pages_read_engagement: 'the Page and its Instagram account are read',
      pages_manage_ads: 'the Page is shared for advertising',
      instagram_basic: 'the Instagram account is linked',
      catalog_management: 'products, ecommerce only',
    };
    const child = {
      business_management: 'system users, domains, Instagram authorization',
      ads_management: 'ad account, pixel, events, campaigns',
      ads_read: 'insights',
      pages_read_engagement: 'the Page is read',
      pages_manage_ads: 'the Page advertises',
      catalog_management: 'products, ecommerce only',
    };
    expect(userPermissions({ catalog: true })).toEqual(Object.keys(user));
    expect(childTokenPermissions({ catalog: true })).toEqual(Object.keys(child));
    const withoutCatalog = (permissions: object): string[] =>
      Object.keys(permissions).filter((permission) => permission !== 'catalog_management');
    expect(userPermissions({ catalog: false })).toEqual(withoutCatalog(user));
    expect(childTokenPermissions({ catalog: false })).toEqual(withoutCatalog(child));
  });

  test('organic posting is named nowhere but in tests and where it is forbidden', async () => {
    const offences: string[] = [];
    const all = ['{functions,shared,test}/**/*', '*.{md,json}', '.*', '{terraform,deploy,docs,.ci,.github}/**/*'];
    for await (const entry of glob(all, { cwd: repositoryRoot, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.endsWith('.test.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      const lines = (await readFile(path, 'utf8')).split('\n');
      for (const [index, line] of lines.entries()) {
        const isForbidden = /^ *\/?\*.*never/.test(line);
        if (line.includes('pages_manage_posts') && !isForbidden)
          offences.push(`${relative(repositoryRoot, path)}:${index + 1}`);
      }
    }
    expect(offences).toEqual([]);
  });
});

/** The secrets that an entry point and what it imports within `functions/` use; `live.ts` only puts things together. */
async function secretsUsedBy(entry: string): Promise<string[]> {
  const seen = new Set<string>();
  const found = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path) || !path.startsWith(join(repositoryRoot, 'functions'))) return;
    seen.add(path);
    const code = await readFile(path, 'utf8');
    for (const [secretId, use] of usesOf) {
      if (use.test(path.endsWith('/live.ts') ? code.replaceAll('systemTokens', '') : code)) found.add(secretId);
    }
    for (const [, from = ''] of code.matchAll(/^(?:import|export) (?!type )[^;]*?'(\.[^']+)';/gm)) {
      await visit(resolve(dirname(path), from));
    }
  };
  await visit(entry);
  return [...found].sort();
}
