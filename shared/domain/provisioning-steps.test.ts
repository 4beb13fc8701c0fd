import { describe, expect, it } from 'vitest';
import { applies, dependantsOf, stepDefinition, stepNames } from './provisioning-steps.ts';
import type { StepName } from './provisioning-steps.ts';

describe('provisioning steps', () => {
  it('no step needs, directly or through others, itself', () => {
    const needsOf = (step: StepName, seen = new Set<StepName>()): Set<StepName> => {
      for (const need of stepDefinition(step).needs) {
        if (!seen.has(need)) needsOf(need, seen.add(need));
      }
      return seen;
    };
    for (const step of stepNames) expect([...needsOf(step)], step).not.toContain(step);
  });

  it('every step leads to finish-run, so nothing can be left behind when a tenant goes live', () => {
    const reached = new Set<StepName>(['finish-run']);
    const walk = (step: StepName): void => {
      for (const need of stepDefinition(step).needs) {
        reached.add(need);
        walk(need);
      }
    };
    walk('finish-run');
    expect([...reached].toSorted()).toEqual(stepNames.toSorted());
  });

  it('steps come in an order in which every need is listed before whoever needs it', () => {
    stepNames.forEach((step, position) => {
      for (const need of stepDefinition(step).needs) expect(stepNames.indexOf(need), step).toBeLessThan(position);
    });
  });

  it('only a tenant that bought catalogs gets one, and only one whose events need it verifies domains', () => {
    const tenant = {
      vertical: 'health',
      domains: ['clinic.example'],
      domainVerification: 'auto',
      path: 'two-tier',
    } as const;
    expect(applies('create-catalog', { ...tenant, skus: ['ecommerce'] })).toBe(true);
    expect(applies('create-catalog', { ...tenant, skus: ['crm'] })).toBe(false);
    expect(applies('prepare-offline-events', { ...tenant, skus: ['crm'] })).toBe(true);
    expect(applies('prepare-offline-events', { ...tenant, skus: [] })).toBe(false);
    expect(applies('verify-domain', { ...tenant, skus: [] })).toBe(true);
    expect(applies('verify-domain', { ...tenant, skus: ['crm'] })).toBe(false);
    expect(applies('create-ad-account', { ...tenant, skus: [], domains: [] })).toBe(true);
  });

  it('on the fallback path nothing is made that belongs to a child business', () => {
    const onFallback = {
      vertical: 'ecommerce',
      skus: ['ecommerce', 'crm'],
      domains: ['shop.example'],
      domainVerification: 'auto',
      path: 'fallback',
    } as const;
    expect(stepNames.filter((step) => !applies(step, onFallback))).toEqual([
      'create-child-business',
      'create-system-user',
      'share-credit-line',
      'migrate-fallback',
    ]);
  });

  it('the system user and the credit line start together once the child business is there', () => {
    expect(dependantsOf('create-child-business')).toEqual(
      expect.arrayContaining(['create-system-user', 'share-credit-line']),
    );
    expect(stepDefinition('share-credit-line').needs).not.toContain('create-system-user');
    expect(stepDefinition('create-system-user').needs).not.toContain('share-credit-line');
  });
});
