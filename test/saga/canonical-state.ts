/** What a run leaves behind, without what may differ between two runs that ended the same: ids, instants, counts of attempts. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { runSchema, stepSchema, tenantSchema } from '../../shared/contracts/documents.ts';
import { canonicalJson } from '../../shared/domain/canonical.ts';
import type { Json } from '../../shared/domain/canonical.ts';
import type { InProcessServices } from '../faults/in-process-services.ts';
import type { GraphNode } from '../simulator/world.ts';

/** Objects that a proof put there itself, to stand in a finder's way. */
export const decoyMark = '_decoy';

/** Fields that tell when, how often or under which fence something came about, not what came about. */
const circumstances =
  /(At|Ms|Until|Version|version|attempt|retries|fence|lease|since|how|fingerprint|revision|hash|Hash|owner|retiring|remindAt|remindersSent|linkNumber|expireAt|sha256|cancellation)$/;

/** Collections that say how a run went, or are emptied by it. */
const passing = /^(outbox|connectStates|deadLetters)\/|\/(audit|auditHeads)\//;

/** What is compared: all there is, or what is one tenant's. */
export interface World {
  readonly documents: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly nodes: readonly GraphNode[];
  /** How many versions of each secret can be read. */
  readonly secrets: Readonly<Record<string, number>>;
}

export function worldOf({ firestore, simulator, secretManager }: InProcessServices): World {
  return { documents: firestore.dump(), nodes: [...simulator.store.nodes.values()], secrets: secretManager.census() };
}

/** Documents and Meta's objects, made comparable, as one text. Decoys are left out. */
export function canonicalState(world: World): string {
  const nodes = world.nodes.filter((node) => !isDecoy(node));
  const documents = Object.entries(world.documents).filter(([path]) => !passing.test(path));
  const state = {
    documents: Object.fromEntries(documents.map(([path, fields]) => [path, comparable(asRead(path, fields))])),
    meta: Object.fromEntries(nodes.map((node) => [node.id, comparable(node)])),
    // A token minted twice is no second object: Meta forgets the one nobody uses.
    secrets: Object.fromEntries(Object.entries(world.secrets).map(([id, versions]) => [id, Math.min(versions, 1)])),
  };
  const decoys = new Set(world.nodes.flatMap((node) => (isDecoy(node) ? [node.id] : [])));
  const text = canonicalJson(without(decoys, state) as Json);
  return relabelled(text, namesOfIds(nodes));
}

/** A document as its readers see it: a field that an older version did not write has its default. */
function asRead(path: string, fields: Readonly<Record<string, unknown>>): unknown {
  const schemas = [
    [/^tenants\/[^/]+$/, tenantSchema],
    [/^tenants\/[^/]+\/runs\/[^/]+$/, runSchema],
    [/^tenants\/[^/]+\/runs\/[^/]+\/steps\/[^/]+$/, stepSchema],
  ] as const;
  const known = schemas.find(([pattern]) => pattern.test(path))?.[1];
  return known === undefined ? fields : withoutNotes(v.parse(known, fields));
}

/** Of an effect, the ids that others build on: what a version notes beside them (a business's name) an older one did not. */
function withoutNotes(document: object): object {
  if (!('effects' in document)) return document;
  return {
    ...document,
    effects: Object.fromEntries(
      Object.entries(document.effects as Record<string, { result: Record<string, unknown> | null }>).map(
        ([effect, record]) => {
          const { name: _noted, ...ids } = record.result ?? {};
          return [effect, { ...record, result: record.result && ids }];
        },
      ),
    ),
  };
}

export function stateHash(state: string): string {
  return createHash('sha256').update(state).digest('hex');
}

/** The first place at which two states differ, for a person. */
export function difference(expected: string, got: string): string {
  let at = 0;
  while (at < expected.length && expected[at] === got[at]) at += 1;
  const around = (text: string): string => text.slice(Math.max(0, at - 100), at + 120);
  return `expected …${around(expected)}… got …${around(got)}…`;
}

/** How many objects of each kind the run made at Meta. */
export function metaObjects(nodes: World['nodes']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of nodes) {
    if (!isDecoy(node)) counts[node.kind] = (counts[node.kind] ?? 0) + 1;
  }
  return counts;
}

/** The same, with no list naming a decoy. */
function without(decoys: ReadonlySet<string>, value: unknown): unknown {
  if (decoys.size === 0 || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    return value.filter((item) => !decoys.has(String(item))).map((item: unknown) => without(decoys, item));
  }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, without(decoys, field)]));
}

function isDecoy(node: object): boolean {
  return 'name' in node && typeof node.name === 'string' && node.name.includes(decoyMark);
}

/** `14000000000001001` → `business#1`: ids are given in the order of creation, which a fault may change. */
function namesOfIds(nodes: World['nodes']): Map<string, string> {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const number = (counts.get(node.kind) ?? 0) + 1;
    counts.set(node.kind, number);
    names.set(node.id, `${node.kind}#${number}`);
    if ('accountId' in node) names.set(node.accountId, `${node.kind}-digits#${number}`);
  }
  return names;
}

function relabelled(text: string, names: ReadonlyMap<string, string>): string {
  return text
    .replaceAll(/(?:act_)?\d{15,20}/g, (id) => names.get(id) ?? id)
    .replaceAll(/relay[kK]eys\/[\w-]+/g, 'relayKeys/#1')
    .replaceAll(/"relayKeyId":"[^"]+"/g, '"relayKeyId":"#1"');
}

function comparable(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return 'instant';
  if (value instanceof Map) return comparable(Object.fromEntries(value));
  if (value instanceof Set) return [...(value as Set<unknown>)].map(comparable);
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => (circumstances.test(key) ? [] : [[key, comparable(field)]])),
  );
}
