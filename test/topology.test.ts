/** Folders, manifests, registered names, topics, steps and the README describe one system: they are held against each other. */
import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getFunction } from '@google-cloud/functions-framework/testing';
import { describe, expect, test } from 'vitest';
import type { FunctionManifest } from '../shared/contracts/function-manifest.ts';
import { deadLetterTopic, secretNotificationTopic, topicNames } from '../shared/contracts/topics.ts';
import { dependantsOf, stepDefinition, stepNames } from '../shared/domain/provisioning-steps.ts';
import { hasResumeLink } from '../shared/domain/resume-link.ts';
import { readManifests, repositoryRoot } from './local/manifests.ts';

const functions = await readManifests();
const byName = functions.map((folder) => [folder.manifest.name, folder] as const);

/** Facts for others to hear one day; nobody here listens. */
const topicsWithoutSubscriber = ['tenant-live', 'wait-reminder'];
/** In `functions/provisioning`, but not a step: it opens the run. */
const provisioningWithoutStep = ['start-run'];

const numbered = /^(\d{2}[a-z]?)-/;
const isStepFolder = (folder: string): boolean => folder.startsWith('functions/provisioning/');
const topicOf = (trigger: object): string | undefined => ('topic' in trigger ? String(trigger.topic) : undefined);

describe.each(byName)('function %s', (name, { manifest, folder, indexPath }) => {
  test('has the name of its folder', () => {
    expect(basename(folder).replace(isStepFolder(folder) ? numbered : '', '')).toBe(name);
  });

  test('registers under its name', async () => {
    await import(pathToFileURL(indexPath).href);
    expect(getFunction(name)).toBeTypeOf('function');
  });

  test('has an index.ts of at most 25 lines', async () => {
    expect((await readFile(indexPath, 'utf8')).trimEnd().split('\n').length).toBeLessThanOrEqual(25);
  });

  test('declares exactly the variables its code reads', async () => {
    expect([...manifest.variables].sort()).toEqual(await variablesReadBy(indexPath));
  });

  test('uses the database that it may use', async () => {
    expect(await reaches(indexPath, join(repositoryRoot, 'shared/gcp/firestore.ts'))).toBe(true);
  });

  test('lets in those its trigger calls for', () => {
    const { trigger, callers } = manifest;
    const fit = 'topic' in trigger ? ['pubsub'] : 'schedule' in trigger ? ['scheduler'] : ['public', 'iam', 'iap'];
    expect(fit).toContain(callers);
  });

  test('if the world may call it, is not told the address that the world cannot reach', () => {
    expect(manifest.callers === 'public' && manifest.variables.includes('FUNCTION_BASE_URL')).toBe(false);
  });

  test('runs once per slot under a lease exactly when its manifest says so', async () => {
    const { trigger } = manifest;
    const code = await readFile(indexPath, 'utf8');
    expect(code.includes('scheduledFunction(manifest,')).toBe(
      'schedule' in trigger && trigger.runs === 'once-per-slot',
    );
    expect(code.includes('tickFunction(')).toBe('schedule' in trigger && trigger.runs === 'every-tick');
  });

  test('has attempts before the dead letters if, and only if, it hears a topic that has dead letters', () => {
    const topic = topicOf(manifest.trigger);
    expect(manifest.maxAttempts !== undefined).toBe(topic !== undefined && topic !== deadLetterTopic);
  });
});

describe('topics', () => {
  test('each has one subscriber, or is declared to have none', () => {
    const heard = functions.flatMap(({ manifest }) => topicOf(manifest.trigger) ?? []);
    expect(heard.toSorted()).toEqual(topicNames.filter((topic) => !topicsWithoutSubscriber.includes(topic)).toSorted());
  });

  test('each is published by a function, the dead letters by Pub/Sub itself, notifications by Secret Manager', () => {
    const emitted = new Set(functions.flatMap(({ manifest }) => manifest.emits));
    const googles = [deadLetterTopic, secretNotificationTopic];
    expect([...emitted].sort()).toEqual(topicNames.filter((topic) => !googles.includes(topic)).toSorted());
  });
});

/** Terraform lets a function publish what it emits and nothing else: a topic that is missing here is refused in the cloud. */
describe('what is emitted follows from the steps: a step that is added cannot be forgotten', () => {
  const emitsOf = (name: string): string[] =>
    functions.find(({ manifest }) => manifest.name === name)?.manifest.emits.toSorted() ?? [];
  const isSubset = (name: string, topics: readonly string[]): void =>
    expect(topics.filter((topic) => !emitsOf(name).includes(topic))).toEqual([]);
  const heard = functions.flatMap(({ manifest }) =>
    'topic' in manifest.trigger && manifest.maxAttempts !== undefined ? [manifest.trigger.topic] : [],
  );

  test.each(stepNames)('by %s: the steps that need it, itself, and what its document announces', (step) => {
    const announces = [
      ...(step === 'finish-run' ? ['tenant-live'] : []),
      ...(stepDefinition(step).mayWaitOn.length > 0 ? ['wait-reminder'] : []),
    ];
    expect(emitsOf(step)).toEqual([...dependantsOf(step), step, ...announces].toSorted());
  });

  test('by those who open and steer runs: every step', () => {
    expect(emitsOf('start-run')).toEqual(stepNames.toSorted());
    expect(emitsOf('resume-waits')).toEqual([...stepNames, 'wait-reminder'].toSorted());
    isSubset('tenant-api', [...stepNames, 'undo-run', 'offboard-tenant']);
  });

  test('by connect-meta: the steps that a resume link can wake', () => {
    const linked = stepNames.filter((step) => stepDefinition(step).mayWaitOn.some((on) => hasResumeLink(step, { on })));
    expect(emitsOf('connect-meta')).toEqual(['tenant-connected', ...linked].toSorted());
  });

  test('by readiness-check: the step a run begins with, and those that wait for what must be ready', async () => {
    const folders = functions.filter(({ folder }) => isStepFolder(folder));
    const waiting: string[] = [];
    for (const { folder, manifest } of folders) {
      const sources = (await readdir(join(repositoryRoot, folder))).filter((file) => /(?<!\.test)\.ts$/.test(file));
      const texts = await Promise.all(sources.map((file) => readFile(join(repositoryRoot, folder, file), 'utf8')));
      if (texts.some((text) => /\bfor: 'PRE-\d+'/.test(text))) waiting.push(manifest.name);
    }
    const first = stepNames.filter((step) => stepDefinition(step).needs.length === 0);
    expect(emitsOf('readiness-check')).toEqual([...first, ...waiting].toSorted());
  });

  test('by the sweeper: whatever travels through the outbox, which is all but the events', () => {
    const googles = [deadLetterTopic, secretNotificationTopic];
    expect(emitsOf('outbox-sweeper')).toEqual(
      topicNames.filter((topic) => ![...googles, 'capi-events'].includes(topic)).toSorted(),
    );
  });

  test('by a replay: every topic whose messages can end in the dead letters', () => {
    expect(emitsOf('capi-replay')).toEqual(heard.filter((topic) => topic !== secretNotificationTopic).toSorted());
  });

  test('by a teardown: itself, should its start have been left in the outbox', () => {
    for (const name of ['undo-run', 'offboard-tenant']) expect(emitsOf(name)).toEqual([name]);
  });
});

describe('provisioning steps', () => {
  const folders = functions.filter(({ folder }) => isStepFolder(folder));

  test('each has a folder, numbered in the order of the onboarding, and each folder a step', () => {
    expect(folders.every(({ folder }) => numbered.test(basename(folder)))).toBe(true);
    const inOrder = folders.map(({ manifest }) => manifest.name);
    expect(inOrder.filter((name) => !provisioningWithoutStep.includes(name))).toEqual(stepNames);
  });

  test('each hears the topic of its own name', () => {
    const steps = folders.filter(({ manifest }) => !provisioningWithoutStep.includes(manifest.name));
    expect(steps.map(({ manifest }) => topicOf(manifest.trigger))).toEqual(steps.map(({ manifest }) => manifest.name));
  });
});

test('the README’s table has one row for each function, with its trigger, and no other', async () => {
  const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8');
  const table = /^\| function .*\n\|[ -|]+\n((?:\|.*\n)+)/m.exec(readme)?.[1] ?? '';
  const rows = Array.from(table.matchAll(/^\| `([\w-]+)` +\| +([^|]+?) +\|/gm), ([, name, trigger]) => ({
    name,
    trigger,
  }));
  const expected = functions.map(({ manifest }) => manifest);
  expect(rows.map(({ name }) => name)).toHaveLength(expected.length);
  for (const manifest of expected) {
    expect(triggersAsShown(manifest), `the trigger of ${manifest.name}`).toContain(
      rows.find(({ name }) => name === manifest.name)?.trigger,
    );
  }
});

/** How the README may put a function's trigger. */
function triggersAsShown({ trigger, callers }: FunctionManifest): string[] {
  if ('topic' in trigger) return ['Pub/Sub', `\`${trigger.topic}\``];
  if ('schedule' in trigger) return [shownSchedule(trigger)];
  return [`HTTP (${callers === 'public' ? 'public' : callers.toUpperCase()})`];
}

function shownSchedule({ schedule, timeZone }: { schedule: string; timeZone: string }): string {
  if (schedule === '* * * * *') return 'every minute';
  return timeZone === 'Etc/UTC' ? `\`${schedule}\`` : `\`${schedule}\` ${timeZone}`;
}

const imported = new Map<string, Promise<readonly string[]>>();

/** The files of ours that a file imports, types left out. */
function importsOf(path: string): Promise<readonly string[]> {
  const known = imported.get(path) ?? readImports(path);
  imported.set(path, known);
  return known;
}

async function readImports(path: string): Promise<readonly string[]> {
  const code = await readFile(path, 'utf8');
  const found = code.matchAll(/^(?:import|export) (?!type )[^;]*?'(\.[^']+\.ts)';/gm);
  return Array.from(found, ([, from = '']) => resolve(dirname(path), from));
}

/** Whether a file imports another, through any number of ours. */
async function reaches(entry: string, wanted: string): Promise<boolean> {
  const seen = new Set([entry]);
  for (const path of seen) for (const next of await importsOf(path)) seen.add(next);
  return seen.has(wanted);
}

/** The names in every `readConfig([…])` of an entry point and of what it imports within `functions/`. */
async function variablesReadBy(entry: string): Promise<string[]> {
  const seen = new Set<string>();
  const found = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path) || !path.startsWith(join(repositoryRoot, 'functions'))) return;
    seen.add(path);
    const code = await readFile(path, 'utf8');
    for (const [, list = ''] of code.matchAll(/readConfig\(\[([^\]]*)\]/g)) {
      for (const [, name = ''] of list.matchAll(/'(\w+)'/g)) found.add(name);
    }
    for (const [, from = ''] of code.matchAll(/^(?:import|export) (?!type )[^;]*?'(\.[^']+)';/gm)) {
      await visit(resolve(dirname(path), from));
    }
  };
  await visit(entry);
  return [...found].sort();
}
