import { describe, expect, it } from 'vitest';
import { consequencesOfChange, consequencesOfConnection, consequencesOfRequest, movesOf } from './reopening.ts';
import type { ChangeableFacts, Consequences } from './reopening.ts';
import { stepNames } from './provisioning-steps.ts';
import type { StepName } from './provisioning-steps.ts';
import type { StepState } from './step-states.ts';

const facts: ChangeableFacts = {
  planId: 'starter',
  vertical: 'health',
  skus: [],
  domains: ['clinic.example'],
  domainVerification: 'auto',
};

/** A run in which everything is done, but for what is said otherwise. */
const run = (otherwise: Partial<Record<StepName, StepState>> = {}): Map<StepName, StepState> =>
  new Map(stepNames.map((step) => [step, otherwise[step] ?? 'done']));
const live = run({ 'partner-invite': 'skipped', 'create-catalog': 'skipped', 'prepare-offline-events': 'skipped' });

const doneIn = (states: Map<StepName, StepState>): Set<StepName> =>
  new Set([...states].flatMap(([step, state]) => (state === 'done' ? [step] : [])));

/** `step from>to`, and the effects that are repeated. */
const moved = (states: Map<StepName, StepState>, consequences: Consequences): string[] =>
  [...movesOf(states, consequences)].map(([step, { from, reopened, to }]) =>
    [`${step} ${from}>${to}`, ...(reopened?.effects ?? [])].join(' '),
  );
const changed = (changes: Partial<ChangeableFacts>, states = live): string[] =>
  moved(states, consequencesOfChange(facts, { ...facts, ...changes }, { path: 'two-tier', done: doneIn(states) }));

describe('on a live tenant', () => {
  it('another plan changes the spend cap, and nothing else', () => {
    expect(changed({ planId: 'growth' })).toEqual(['create-ad-account done>queued spend-cap']);
  });

  it('the ecommerce SKU brings a catalog, after a token that may make one, and is then recorded', () => {
    expect(changed({ skus: ['ecommerce'] })).toEqual([
      'create-system-user done>queued system-token',
      'create-catalog skipped>pending',
      'finish-run done>pending',
    ]);
  });

  it('the CRM SKU prepares offline events, and this clinic’s domain no longer matters', () => {
    expect(changed({ skus: ['crm'] })).toEqual(['prepare-offline-events skipped>queued']);
    const waiting = new Map(live).set('verify-domain', 'waiting');
    expect(changed({ skus: ['crm'] }, waiting)).toEqual([
      'prepare-offline-events skipped>queued',
      'verify-domain waiting>skipped',
    ]);
  });

  it('a SKU taken away undoes nothing', () => {
    const all: ChangeableFacts = { ...facts, skus: ['ecommerce', 'crm'] };
    expect(
      moved(run(), consequencesOfChange(all, { ...all, skus: ['crm'] }, { path: 'two-tier', done: doneIn(run()) })),
    ).toEqual([]);
  });

  it('a SKU bought again finds what it had', () => {
    expect(changed({ skus: ['ecommerce'] }, run())).toEqual([]);
  });

  it('other domains are verified; the same ones are not verified again', () => {
    expect(changed({ domains: ['clinic.example', 'shop.example'] })).toEqual(['verify-domain done>queued']);
    expect(changed({ domains: [...facts.domains] })).toEqual([]);
  });

  it('the client connecting again has the consent checked first, then the Page and Instagram linked', () => {
    const consequences = consequencesOfConnection(facts, 'two-tier', { isLinkWanted: true, waitingOnClient: [] });
    expect(moved(live, consequences)).toEqual([
      'record-consent done>queued',
      'partner-invite skipped>pending page-share page-request',
      'link-page-and-instagram done>pending page-access instagram-authorization',
    ]);
  });

  it('a person may have the link looked at again by itself', () => {
    expect(moved(live, consequencesOfRequest('link-page-and-instagram'))).toEqual([
      'link-page-and-instagram done>queued page-access instagram-authorization',
    ]);
  });
});

describe('on a tenant that is not live yet', () => {
  it('a step that has not begun needs no telling', () => {
    const early = run({ 'create-ad-account': 'pending', 'share-credit-line': 'waiting' });
    expect(changed({ planId: 'growth' }, early)).toEqual(['create-ad-account pending>pending spend-cap']);
  });

  it('a step that somebody works on is not disturbed, but goes again', () => {
    const busy = run({ 'create-ad-account': 'running' });
    expect(changed({ planId: 'growth' }, busy)).toEqual(['create-ad-account running>running spend-cap']);
  });

  it('a change that a parked step waited for lets it go on', () => {
    const parked = run({ 'create-ad-account': 'waiting' });
    expect(changed({ planId: 'growth' }, parked)).toEqual(['create-ad-account waiting>queued spend-cap']);
  });

  it('a postponed step keeps its time, because Meta named it', () => {
    const postponed = run({ 'create-ad-account': 'retrying' });
    expect(changed({ planId: 'growth' }, postponed)).toEqual(['create-ad-account retrying>retrying spend-cap']);
  });

  it('a step that is dismissed lets those go on that waited for it only', () => {
    const all: ChangeableFacts = { ...facts, skus: ['ecommerce'] };
    const states = run({ 'create-catalog': 'waiting', 'finish-run': 'pending' });
    expect(
      moved(states, consequencesOfChange(all, { ...all, skus: [] }, { path: 'two-tier', done: doneIn(states) })),
    ).toEqual(['create-catalog waiting>skipped', 'finish-run pending>queued']);
  });

  it('reconnecting after a dead token lets what waited go on, once the new consent is checked', () => {
    const states = new Map(stepNames.map((step): [StepName, StepState] => [step, 'pending']));
    states.set('record-consent', 'done').set('create-child-business', 'waiting');
    const consequences = consequencesOfConnection(facts, 'two-tier', {
      isLinkWanted: true,
      waitingOnClient: ['create-child-business'],
    });
    expect(moved(states, consequences)).toEqual([
      'record-consent done>queued',
      'create-child-business waiting>pending',
      'partner-invite pending>pending page-share page-request',
      'link-page-and-instagram pending>pending page-access instagram-authorization',
    ]);
  });

  it('a cancelled run stays as it is', () => {
    const states = new Map(stepNames.map((step): [StepName, StepState] => [step, 'cancelled']));
    expect(changed({ planId: 'growth', skus: ['ecommerce'] }, states)).toEqual([]);
  });
});

it('on the fallback path the ecommerce SKU brings a catalog without a child business', () => {
  const states = run({
    'create-child-business': 'skipped',
    'create-system-user': 'skipped',
    'share-credit-line': 'skipped',
    'create-catalog': 'skipped',
  });
  expect(
    moved(
      states,
      consequencesOfChange(facts, { ...facts, skus: ['ecommerce'] }, { path: 'fallback', done: doneIn(states) }),
    ),
  ).toEqual(['create-catalog skipped>queued', 'finish-run done>pending']);
});
