/** The page's table of what others' users complain of points at tests that exist; and the tests of it that have no other place. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { judgeServerEvent } from '../../shared/domain/server-event/judge.ts';
import { sendEvents } from '../../shared/meta/conversions.ts';

const root = join(import.meta.dirname, '..', '..');
const page = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
const rows = [...page.matchAll(/^\| (\d{1,2}) +\|(.*)\|$/gm)].map(([, number, rest = '']) => ({
  number: Number(number),
  proofs: [...rest.matchAll(/`([^`]+\.test\.ts)`: _((?:[^_\\]|\\.)+)_/g)].map(([, path = '', name = '']) => ({
    path,
    name: name.replaceAll(/\\(.)/g, '$1'),
  })),
}));

describe('the table of complaints', () => {
  test('has a row for each of the 32, with at least one proof', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
    expect(rows.filter(({ proofs }) => proofs.length === 0)).toEqual([]);
  });

  test('names only tests that exist', async () => {
    const sources = new Map<string, string>();
    const missing: string[] = [];
    for (const { number, proofs } of rows) {
      for (const { path, name } of proofs) {
        const source = sources.get(path) ?? (await readFile(join(root, path), 'utf8').catch(() => ''));
        sources.set(path, source);
        if (
          !new RegExp(
            `(?:test|it|describe)\\b[^]{0,40}?['"\`]${escaped(name)}['"\`]|^ *\\]?\\)?\\(?'${escaped(name)}'`,
            'm',
          ).test(source)
        )
          missing.push(`${number}: ${path}: ${name}`);
      }
    }
    expect(missing).toEqual([]);
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

test('an answer of Meta that leaves out what it may leave out is a success all the same', async () => {
  const answering = {
    post: async (_path: string, _fields: object, schema: v.GenericSchema) => v.parse(schema, { events_received: 1 }),
  };
  const receipt = await sendEvents(answering as never, { datasetId: '1', events: [{}] });
  expect(receipt).toEqual({ eventsReceived: 1, messages: [], fbtraceId: undefined });
});

test('a letter outside a-z in an e-mail address throws nothing and costs no event', () => {
  for (const em of ['josé@example.com', 'ayşe@örnek.example', 'İ@x.co', '用户@example.com']) {
    const event = {
      event_name: 'Lead',
      event_time: 1_760_000_000,
      action_source: 'other',
      user_data: { em, external_id: 'c-1' },
    };
    const { verdict } = judgeServerEvent(event, { nowSeconds: 1_760_000_000, eventIdSeed: '1' });
    expect(verdict).toBe('accepted');
  }
});
