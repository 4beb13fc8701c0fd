/**
 * Documents of runs as a released version stored them, at every moment of an onboarding, and the proof that the present
 * version takes each up and brings it to the same end. They lie in `test/golden`, one file per `sagaVersion`, and are never
 * written again once a version is out: the next version adds its own file.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stepNames } from '../../shared/domain/provisioning-steps.ts';
import type { InProcessServices } from '../faults/in-process-services.ts';
import type { Crossing } from '../faults/process-life.ts';
import { judge, referenceOf } from './oracles.ts';
import type { Reference } from './oracles.ts';

type Documents = Record<string, Record<string, unknown>>;

/** `documents` holds what changed since the moment before. */
export interface GoldenMoment {
  readonly at: string;
  readonly documents: Documents;
}

export interface Golden {
  readonly sagaVersion: number;
  readonly moments: readonly GoldenMoment[];
}

const tenantId = 'golden-shop';
const inOrder = { times: 1, reversed: false };

const goldenFile = (sagaVersion: number): string => join(import.meta.dirname, '../golden', `saga-v${sagaVersion}.json`);

export async function readGolden(sagaVersion: number): Promise<Golden> {
  return JSON.parse(await readFile(goldenFile(sagaVersion), 'utf8')) as Golden;
}

export async function writeGolden(golden: Golden): Promise<void> {
  await writeFile(goldenFile(golden.sagaVersion), `${JSON.stringify(golden, undefined, 1)}\n`);
}

/** The moments of a step: just claimed, about to send each of its writes, returned (done, or parked). */
function momentOf({ topic, place, when, name, writes }: Crossing, seen: Map<string, number>): string | undefined {
  if (!stepNames.some((step) => step === topic)) return undefined;
  const count = (what: string): string => {
    const number = (seen.get(`${topic} ${what}`) ?? 0) + 1;
    seen.set(`${topic} ${what}`, number);
    return `${topic}: ${what} ${number}`;
  };
  if (place === 'acknowledge') return count('returned');
  if (place === 'firestore' && name === 'commit' && when === 'after' && !seen.has(`${topic} claimed`))
    return count('claimed');
  return (place === 'graph' || place === 'secrets') && writes && when === 'before' ? count('sends') : undefined;
}

function sagaDocuments(services: InProcessServices): Documents {
  const mine = Object.entries(services.firestore.dump()).filter(
    ([path]) => path.startsWith(`tenants/${tenantId}`) && !/\/(audit|auditHeads)\//.test(path),
  );
  return Object.fromEntries(mine);
}

/** What this version stores, moment by moment. */
export async function captureGolden(services: InProcessServices): Promise<Golden> {
  const moments: GoldenMoment[] = [];
  const seen = new Map<string, number>();
  let before: Documents = {};
  const world = await services.connectedWorld(tenantId, {
    atCrossing(crossing) {
      const at = momentOf(crossing, seen);
      if (at === undefined) return;
      const now = sagaDocuments(services);
      const changed = Object.entries(now).filter(
        ([path, fields]) => JSON.stringify(before[path]) !== JSON.stringify(fields),
      );
      moments.push({ at, documents: Object.fromEntries(changed) });
      before = now;
    },
  });
  await world.run(tenantId, inOrder);
  await world.close();
  return { sagaVersion: 1, moments };
}

/** Where this tenant comes to without any interruption. */
export async function goldenReference(services: InProcessServices): Promise<Reference> {
  const world = await services.connectedWorld(tenantId);
  await world.run(tenantId, inOrder);
  await world.close();
  return referenceOf(services);
}

/**
 * Brings Meta to the moment, ends the process there, puts the stored documents in the place of what was written, and lets
 * the present version go on. Answers what does not hold.
 */
export async function resumeGolden(
  services: InProcessServices,
  { moments }: Golden,
  index: number,
  reference: Reference,
): Promise<string[]> {
  const { at } = moments[index] ?? { at: 'no such moment' };
  const stored = Object.assign({}, ...moments.slice(0, index + 1).map(({ documents }) => documents)) as Documents;
  const seen = new Map<string, number>();
  let isReached = false;
  const world = await services.connectedWorld(tenantId, {
    async atCrossing(crossing, life) {
      if (isReached || momentOf(crossing, seen) !== at) return;
      isReached = true;
      life.die();
      for (const [path, fields] of Object.entries(stored)) await services.db.doc(path).set(fields);
    },
  });
  await world.run(tenantId, inOrder);
  await world.close();
  const violations = await judge(services, tenantId, reference);
  return isReached ? violations : [`work: the moment "${at}" never came`, ...violations];
}
