/** `firebase.json` names the database, rules and indexes that Terraform and the code use, and the rules let nobody in. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { databaseId } from '../../shared/contracts/documents.ts';
import { repositoryRoot } from '../local/manifests.ts';
import { readConfiguration } from './configuration.ts';

const firebase = JSON.parse(await readFile(join(repositoryRoot, 'firebase.json'), 'utf8')) as {
  firestore: { database: string; location: string; rules: string; indexes: string }[];
  emulators: Record<string, { host?: string; port?: number }>;
};

test('there is one database, that of the code, where Terraform puts it', async () => {
  const { variables } = await readConfiguration(join(repositoryRoot, 'terraform'));
  expect(firebase.firestore).toEqual([
    {
      database: databaseId,
      location: variables.get('firestore_location')?.['default'],
      rules: 'terraform/firestore.rules',
      indexes: 'terraform/firestore.indexes.json',
    },
  ]);
});

test('its files are the ones Terraform reads', async () => {
  const terraform = await readFile(join(repositoryRoot, 'terraform/firestore.tf'), 'utf8');
  for (const { rules, indexes } of firebase.firestore) {
    for (const path of [rules, indexes]) {
      await access(join(repositoryRoot, path));
      expect(terraform).toContain(`file("\${path.module}/${path.replace('terraform/', '')}")`);
    }
  }
});

test('the rules allow no client anything', async () => {
  const rules = await readFile(join(repositoryRoot, 'terraform/firestore.rules'), 'utf8');
  const allowed = Array.from(rules.matchAll(/^\s*allow ([^;]*);/gm), ([, rule]) => rule);
  expect(allowed).toEqual(['read, write: if false']);
  expect(rules).toContain('match /{document=**}');
});

test('emulators listen on this machine only', () => {
  const { singleProjectMode: _, ui: _ui, ...listening } = firebase.emulators;
  for (const { host, port } of Object.values(listening)) {
    expect(host).toBe('127.0.0.1');
    expect(port).toBeGreaterThan(1024);
  }
});
