import type { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../../test/local/google/firestore/embedded-firestore.ts';
import { collections, paths, stepSchema } from '../contracts/documents.ts';
import type { StepRecord } from '../contracts/documents.ts';
import type { Envelope } from '../contracts/topics.ts';
import { DeadLetterStore } from '../gcp/dead-letter-store.ts';
import { connectFirestore, readDocument } from '../gcp/firestore.ts';
import { Outbox } from '../gcp/outbox.ts';
import { RunControl } from '../gcp/run-control.ts';
import { FenceLost, StepStore } from '../gcp/step-store.ts';
import type { Claimed } from '../gcp/step-claim.ts';
import { GraphError } from '../meta/errors.ts';
import { defaultStepLeaseMs as leaseMs } from './config.ts';
import { createLogger } from './logger.ts';
import { Waiting } from './outcomes.ts';
import { pushBody } from './delayed-retry.ts';
import { stepFunction } from './step-function.ts';
import type { StepBehaviour, StepDependencies } from './step-function.ts';

let emulator: EmbeddedFirestore;
let db: Firestore;
let now: Date;
let published: { topic: string; json: string }[];
let pubsubIsDown: boolean;
let retries: { envelope: Envelope; at: Date }[];

const tenantId = 'acme';
const runId = 'run-1';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const consent = { metaUserId: '1', pageId: '2', pageName: 'Acme', instagramUserId: null };

beforeAll(async () => {
  emulator = await startEmbeddedFirestore({ projectId: 'kobi-test' });
  process.env['FIRESTORE_EMULATOR_HOST'] = emulator.host;
  db = connectFirestore('kobi-test');
});

afterAll(async () => {
  await db.terminate();
  await emulator.close();
});

beforeEach(async () => {
  emulator.clear();
  now = new Date('2026-11-23T10:00:00.000Z');
  published = [];
  retries = [];
  pubsubIsDown = false;
  await db.doc(paths.tenant(tenantId)).set({
    tenantId,
    slug: tenantId,
    name: 'Acme',
    planId: 'starter',
    vertical: 'ecommerce',
    skus: [],
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    domains: [],
    status: 'terms-accepted',
    createdAt: now.toISOString(),
    createdBy: 'test',
    terms: null,
    connection: null,
    currentRunId: null,
  });
});

function dependencies(): StepDependencies & { outbox: Outbox; control: RunControl } {
  const outbox = new Outbox(db, {
    publishJson: async (topic, json) => {
      if (pubsubIsDown) throw new Error('Pub/Sub is down');
      published.push({ topic, json });
    },
    publish: () => Promise.reject(new Error('not used')),
    close: async () => undefined,
  });
  return {
    projectId: 'kobi-test',
    log: createLogger({ level: 'silent', functionName: 'test' }),
    now: () => now,
    deadLetters: new DeadLetterStore(db, () => now),
    retryAt: async (envelope, at) => void retries.push({ envelope, at }),
    steps: new StepStore({ db, outbox, now: () => now, leaseMs }),
    control: new RunControl({ db, outbox, now: () => now, leaseMs }),
    outbox,
  };
}

async function openRun(): Promise<StepDependencies & { outbox: Outbox; control: RunControl }> {
  const live = dependencies();
  await live.outbox.deliver(await live.control.openRun(tenantId, runId, 'two-tier', traceparent));
  return live;
}

const consentStep = { tenantId, runId, step: 'record-consent' } as const;

const message = (fence = 0): Envelope<'record-consent'> => ({
  eventId: `acme:run-1:record-consent:${fence}`,
  type: 'record-consent',
  version: 1,
  tenantId,
  runId,
  at: now.toISOString(),
  traceparent,
  data: { cause: 'needs-met' },
});

async function deliver(live: StepDependencies, behaviour: StepBehaviour<'record-consent'>): Promise<void> {
  const run = stepFunction('record-consent', () => live, behaviour);
  await run({ specversion: '1.0', id: '1', source: 's', type: 't', data: pushBody('kobi-test', message()) });
}

const read = async (step: 'record-consent' | 'create-child-business' = 'record-consent'): Promise<StepRecord> => {
  const record = readDocument(await db.doc(paths.step(tenantId, runId, step)).get(), stepSchema);
  if (record === undefined) throw new Error(`no ${step}`);
  return record;
};

const outboxSize = async (): Promise<number> => (await db.collection(collections.outbox).get()).size;
const pass = (ms: number): void => void (now = new Date(now.getTime() + ms));

describe('the step recipe', () => {
  it('a done step starts what its products make ready, in the same transaction, and leaves nothing in the outbox', async () => {
    const live = await openRun();
    expect(published.map(({ topic }) => topic)).toEqual(['record-consent']);
    await deliver(live, async () => ({ products: consent }));
    expect(await read()).toMatchObject({ state: 'done', products: consent, lease: null, attempt: 1 });
    expect(await read('create-child-business')).toMatchObject({ state: 'queued' });
    expect(published.map(({ topic }) => topic)).toEqual(['record-consent', 'create-child-business']);
    expect(await outboxSize()).toBe(0);
  });

  it('opening the same run twice opens it once', async () => {
    const live = await openRun();
    expect(await live.control.openRun(tenantId, runId, 'two-tier', traceparent)).toEqual([]);
  });

  it('a redelivered message of a done step does nothing again', async () => {
    const live = await openRun();
    let ran = 0;
    const behaviour: StepBehaviour<'record-consent'> = async () => ((ran += 1), { products: consent });
    await deliver(live, behaviour);
    await deliver(live, behaviour);
    expect(ran).toBe(1);
    expect(published).toHaveLength(2);
  });

  it('what a crash between commit and publish left behind is published by the redelivery', async () => {
    const live = await openRun();
    pubsubIsDown = true;
    await expect(deliver(live, async () => ({ products: consent }))).rejects.toThrow('unexpected error');
    expect(await outboxSize()).toBe(1);
    pubsubIsDown = false;
    await deliver(live, () => Promise.reject(new Error('must not run')));
    expect(published.map(({ topic }) => topic)).toEqual(['record-consent', 'create-child-business']);
    expect(await outboxSize()).toBe(0);
  });

  it('what nobody redelivers is published by the sweeper, and not before a healthy publisher had its time', async () => {
    const live = await openRun();
    pubsubIsDown = true;
    await expect(deliver(live, async () => ({ products: consent }))).rejects.toThrow('unexpected error');
    pubsubIsDown = false;
    expect(await live.outbox.sweep(new Date(now.getTime() - 30_000), 10)).toBe(0);
    pass(60_000);
    expect(await live.outbox.sweep(new Date(now.getTime() - 30_000), 10)).toBe(1);
    expect(published.at(-1)?.topic).toBe('create-child-business');
  });

  it('while one worker holds the lease, a second comes back when the lease ends', async () => {
    const live = await openRun();
    const claim = await live.steps.claim({ tenantId, runId, step: 'record-consent' }, 'first', 'needs-met');
    expect(claim.kind).toBe('claimed');
    pass(10_000);
    await deliver(live, () => Promise.reject(new Error('must not run')));
    expect(retries.map(({ at }) => at.getTime() - now.getTime())).toEqual([leaseMs - 10_000]);
  });

  it('a dead worker is taken over after its lease, and what it still writes is refused', async () => {
    const live = await openRun();
    const zombie = (await live.steps.claim(
      { tenantId, runId, step: 'record-consent' },
      'zombie',
      'needs-met',
    )) as Claimed;
    pass(leaseMs + 1);
    await deliver(live, async () => ({ products: consent }));
    const end = { products: { metaUserId: 'zombie' }, writes: [], announce: [] };
    await expect(live.steps.finish(zombie, end, traceparent)).rejects.toThrow(FenceLost);
    await expect(live.steps.markEffect(zombie, 'x', 'y')).rejects.toThrow(FenceLost);
    await expect(live.steps.mayCall(zombie), 'a call to Meta').rejects.toThrow(FenceLost);
    expect((await read()).products).toEqual(consent);
  });

  it('a zombie that wakes up while its successor works cannot write either', async () => {
    const live = await openRun();
    const ref = { tenantId, runId, step: 'record-consent' } as const;
    const zombie = (await live.steps.claim(ref, 'zombie', 'needs-met')) as Claimed;
    pass(leaseMs + 1);
    const heir = (await live.steps.claim(ref, 'heir', 'needs-met')) as Claimed;
    await expect(live.steps.markEffect(zombie, 'x', 'y')).rejects.toThrow(FenceLost);
    await live.steps.markEffect(heir, 'x', 'y');
    expect((await read()).effects['x']).toMatchObject({ state: 'pending', fingerprint: 'y' });
  });
});

describe('an effect', () => {
  const effect = (find: () => Promise<{ id: string } | undefined>, create: () => Promise<{ id: string }>) => ({
    name: 'thing',
    desired: { name: 'thing' },
    find,
    create,
  });
  const refused = (outcome: 'not-applied' | 'unknown', call = 'POST /x'): GraphError =>
    new GraphError({
      class: outcome === 'unknown' ? 'unknown-outcome' : 'transient',
      reason: 'service-trouble',
      outcome,
      call,
    });

  it('is marked before it is sent', async () => {
    const live = await openRun();
    let atCreation: StepRecord | undefined;
    await deliver(live, async ({ ensure }) => {
      await ensure(
        effect(
          async () => undefined,
          async () => ((atCreation = await read()), { id: '7' }),
        ),
      );
      return { products: consent };
    });
    expect(atCreation?.effects['thing']).toMatchObject({ state: 'pending', how: null });
    expect((await read()).effects['thing']).toMatchObject({ state: 'done', how: 'created', result: { id: '7' } });
  });

  it('that is there already is adopted, not created', async () => {
    const live = await openRun();
    await deliver(live, async ({ ensure }) => {
      await ensure(
        effect(
          async () => ({ id: '5' }),
          () => Promise.reject(new Error('must not create')),
        ),
      );
      return { products: consent };
    });
    expect((await read()).effects['thing']).toMatchObject({ how: 'found', result: { id: '5' } });
  });

  it('that was closed is neither looked for nor sent again when the step comes back', async () => {
    const live = await openRun();
    let finds = 0;
    const behaviour: StepBehaviour<'record-consent'> = async ({ ensure }) => {
      await ensure(
        effect(
          async () => ((finds += 1), undefined),
          async () => ({ id: '7' }),
        ),
      );
      throw new Waiting({ on: 'client', for: 'something', what: 'Do it.', pollEveryMs: 1_000 });
    };
    await deliver(live, behaviour);
    pass(1_000);
    await live.outbox.deliver(
      await live.control.wake({ tenantId, runId, step: 'record-consent' }, 'resumed', 'test', traceparent),
    );
    await deliver(live, behaviour);
    expect(finds).toBe(1);
  });

  it('whose answer was lost is not sent again until Meta had time to show it', async () => {
    const live = await openRun();
    let sent = 0;
    const behaviour: StepBehaviour<'record-consent'> = async ({ ensure }) => {
      await ensure(
        effect(
          async () => undefined,
          () => ((sent += 1), Promise.reject(refused('unknown'))),
        ),
      );
      return { products: consent };
    };
    await deliver(live, behaviour);
    expect(sent).toBe(1);
    expect(await read()).toMatchObject({ state: 'retrying', effects: { thing: { state: 'pending' } } });
    pass(29_000);
    await deliver(live, behaviour);
    expect(sent).toBe(1);
    pass(1_000);
    await deliver(live, behaviour);
    expect(sent).toBe(2);
  });

  it('whose answer was lost is not sent again too early, even when a person retries at once', async () => {
    const live = await openRun();
    let sent = 0;
    const behaviour: StepBehaviour<'record-consent'> = async ({ ensure }) => {
      await ensure(
        effect(
          async () => undefined,
          () => ((sent += 1), Promise.reject(refused('unknown'))),
        ),
      );
      return { products: consent };
    };
    await deliver(live, behaviour);
    pass(10_000);
    await live.outbox.deliver(await live.control.wake(consentStep, 'redrive', 'operator', traceparent));
    await deliver(live, behaviour);
    expect(sent).toBe(1);
    expect(await read()).toMatchObject({ state: 'retrying', wakeAt: '2026-11-23T10:00:30.000Z' });
  });

  it('that Meta surely did not apply leaves no mark', async () => {
    const live = await openRun();
    await deliver(live, async ({ ensure }) => {
      await ensure(
        effect(
          async () => undefined,
          () => Promise.reject(refused('not-applied')),
        ),
      );
      return { products: consent };
    });
    expect(await read()).toMatchObject({ state: 'retrying', effects: {}, retries: 1 });
  });

  it('whose reading back failed keeps its mark: what was written may stand', async () => {
    const live = await openRun();
    await deliver(live, async ({ ensure }) => {
      await ensure({
        ...effect(
          async () => undefined,
          () => Promise.reject(refused('not-applied', 'GET /x')),
        ),
        before: () => ({ previous: 1 }),
      });
      return { products: consent };
    });
    const effects = { thing: { state: 'pending', before: { previous: 1 } } };
    expect(await read()).toMatchObject({ state: 'retrying', effects, retries: 1 });
  });
});

describe('an unfinished step', () => {
  it('that waits keeps since when it waits, and becomes a failure when the wait expires', async () => {
    const live = await openRun();
    const behaviour: StepBehaviour<'record-consent'> = () =>
      Promise.reject(
        new Waiting({ on: 'client', for: 'dns', what: 'Publish.', pollEveryMs: 1_000, expiresAfterMs: 2_500 }),
      );
    const wake = async (): Promise<void> => {
      await live.outbox.deliver(
        await live.control.wake({ tenantId, runId, step: 'record-consent' }, 'resumed', 'test', traceparent),
      );
    };
    const since = now.toISOString();
    await deliver(live, behaviour);
    pass(1_000);
    await wake();
    await deliver(live, behaviour);
    expect(await read()).toMatchObject({ state: 'waiting', wait: { on: 'client', for: 'dns', since }, retries: 0 });
    pass(2_000);
    await wake();
    await deliver(live, behaviour);
    expect(await read()).toMatchObject({ state: 'failed', reason: expect.stringContaining('in vain') as string });
  });

  it('whose start message was lost for good is started by resume-waits', async () => {
    const live = await openRun();
    expect(await live.control.dueSteps(10)).toEqual([]);
    pass(leaseMs);
    expect(await live.control.dueSteps(10)).toEqual([consentStep]);
    expect(await live.control.wake(consentStep, 'resumed', 'test', traceparent)).toHaveLength(1);
  });

  it('is woken once by two callers, and not before its time', async () => {
    const live = await openRun();
    await deliver(live, () => Promise.reject(new Waiting({ on: 'meta', for: 'x', what: 'Wait.', pollEveryMs: 1_000 })));
    const ref = { tenantId, runId, step: 'record-consent' } as const;
    expect(await live.control.dueSteps(10)).toEqual([]);
    expect(await live.control.wake(ref, 'resumed', 'test', traceparent)).toEqual([]);
    pass(1_000);
    expect(await live.control.dueSteps(10)).toEqual([ref]);
    const woken = await Promise.all([1, 2, 3].map(() => live.control.wake(ref, 'resumed', 'test', traceparent)));
    expect(woken.flat()).toHaveLength(1);
  });

  it('a late copy of its first message does not disturb it while it waits', async () => {
    const live = await openRun();
    await deliver(live, () => Promise.reject(new Waiting({ on: 'meta', for: 'x', what: 'Wait.', pollEveryMs: 1_000 })));
    await deliver(live, () => Promise.reject(new Error('must not run')));
    expect(await read()).toMatchObject({ state: 'waiting', attempt: 1 });
  });

  it('that meets an unexpected error is tried again at a known time, and in the end waits for a person', async () => {
    const live = await openRun();
    for (let attempt = 0; attempt < 26; attempt += 1) {
      await deliver(live, () => Promise.reject(new TypeError('bug')));
      pass(2 * 60 * 60 * 1000);
    }
    expect(retries).toHaveLength(25);
    expect(await read()).toMatchObject({ state: 'failed', reason: expect.stringContaining('25 attempts') as string });
    await live.outbox.deliver(
      await live.control.wake({ tenantId, runId, step: 'record-consent' }, 'redrive', 'operator', traceparent),
    );
    await deliver(live, async () => ({ products: consent }));
    expect(await read()).toMatchObject({ state: 'done' });
  });

  it('a throttle does not count as a failed attempt', async () => {
    const live = await openRun();
    const throttled = new GraphError({
      class: 'throttled',
      reason: 'business-use-case-limit',
      outcome: 'not-applied',
      call: 'POST /x',
      retryAtMs: now.getTime() + 420_000,
    });
    await deliver(live, () => Promise.reject(throttled));
    expect(await read()).toMatchObject({ state: 'retrying', retries: 0, wakeAt: '2026-11-23T10:07:00.000Z' });
    expect(retries[0]?.at.toISOString()).toBe('2026-11-23T10:07:00.000Z');
  });
});
