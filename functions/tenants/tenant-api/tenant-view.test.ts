import { describe, expect, it } from 'vitest';
import type { StepRecord, StepState, Tenant } from '../../../shared/contracts/documents.ts';
import { stepNames } from '../../../shared/domain/provisioning-steps.ts';
import type { StepName } from '../../../shared/domain/provisioning-steps.ts';
import { clientMustConnect, tenantView } from './tenant-view.ts';

const at = '2026-11-23T10:00:00.000Z';
const terms = { tos: true, dataSharing: true, acceptedBy: 'ada', acceptedAt: at } as const;
const connection = { number: 1, metaUserId: '1', pageId: '2', userTokenVersion: '1', connectedAt: at };

const created: Tenant = {
  tenantId: 'acme',
  slug: 'acme',
  name: 'Acme',
  planId: 'starter',
  vertical: 'ecommerce',
  skus: [],
  country: 'TR',
  currency: 'TRY',
  timezone: 'Europe/Istanbul',
  domains: [],
  domainVerification: 'auto',
  status: 'created',
  createdAt: at,
  createdBy: 'ada',
  terms: null,
  connection: null,
  currentRunId: null,
};
const running: Tenant = { ...created, status: 'provisioning', terms, connection, currentRunId: 'run-1' };

function step(name: StepName, state: StepState, more: Partial<StepRecord> = {}): StepRecord {
  return {
    step: name,
    tenantId: 'acme',
    runId: 'run-1',
    state,
    attempt: 1,
    retries: 0,
    fence: 1,
    lease: null,
    effects: {},
    products: null,
    wait: null,
    reason: null,
    wakeAt: null,
    startedAt: at,
    finishedAt: null,
    reopened: null,
    ...more,
  };
}

const unreminded = { expiresAt: null, remindAt: null, remindersSent: 0 };

function waitingOn(on: 'client' | 'meta' | 'kobi'): Partial<StepRecord> {
  return { wait: { on, for: 'something', what: 'Do it.', since: at, ...unreminded, linkNumber: 1 } };
}

describe('the status of a tenant', () => {
  it.each<[string, Tenant, StepState[]]>([
    ['created', created, []],
    ['terms-accepted', { ...created, status: 'terms-accepted', terms }, []],
    ['provisioning', { ...created, status: 'terms-accepted', terms, connection }, []],
    ['provisioning', running, ['done', 'running', 'pending']],
    ['provisioning', running, ['waiting', 'queued']],
    ['provisioning', running, ['waiting', 'retrying']],
    ['waiting', running, ['done', 'waiting', 'pending']],
    ['failed', running, ['running', 'failed']],
    ['failed', running, ['waiting', 'failed']],
    ['live', { ...running, status: 'live' }, ['done', 'skipped']],
  ])('is %s', (status, tenant, states) => {
    const records = states.map((state, index) => step(stepNames[index]!, state, waitingOn('meta')));
    expect(tenantView(tenant, records).status).toBe(status);
  });
});

it('every wait says on whom, for what and since when, from the first day', () => {
  expect(tenantView(created, []).waits).toMatchObject([{ step: 'terms', on: 'client', since: at }]);
  expect(tenantView({ ...created, terms }, []).waits).toMatchObject([{ step: 'connect', on: 'client', since: at }]);
  const records = [
    step('record-consent', 'done', waitingOn('client')),
    step('verify-domain', 'waiting', waitingOn('kobi')),
  ];
  expect(tenantView(running, records).waits).toEqual([
    { step: 'verify-domain', on: 'kobi', for: 'something', what: 'Do it.', since: at, ...unreminded },
  ]);
});

it('the client is sent to the dialog for the first time, and again when a step of his own token waits on him', () => {
  const waiting = (name: StepName, on: 'client' | 'kobi') => [step(name, 'waiting', waitingOn(on))];
  expect(clientMustConnect(created, [])).toBe(false);
  expect(clientMustConnect({ ...created, terms }, [])).toBe(true);
  expect(clientMustConnect(running, waiting('record-consent', 'client'))).toBe(true);
  expect(clientMustConnect(running, waiting('record-consent', 'kobi'))).toBe(false);
  expect(clientMustConnect(running, waiting('verify-domain', 'client'))).toBe(false);
});

it('a step shows its time, its reason and what it produced', () => {
  const view = tenantView(running, [
    step('create-pixel', 'done', { finishedAt: '2026-11-23T10:00:01.500Z', products: { datasetId: '5' } }),
    step('create-catalog', 'failed', { reason: 'because', products: null }),
  ]);
  expect(view.steps).toMatchObject([
    { name: 'create-pixel', ms: 1500 },
    { ms: null, reason: 'because' },
  ]);
  expect(view.produced).toEqual({ datasetId: '5' });
});
