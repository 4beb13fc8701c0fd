import { expect, it } from 'vitest';
import { needsVerifiedDomain } from './domain-verification.ts';
import type { DomainNeeds } from './domain-verification.ts';

const needs = (changes: Partial<DomainNeeds>): boolean =>
  needsVerifiedDomain({
    vertical: 'ecommerce',
    skus: [],
    domains: ['acme.example'],
    domainVerification: 'auto',
    ...changes,
  });

it('a shop must verify its domain, because its purchases happen on the site', () => {
  expect(needs({})).toBe(true);
  expect(needs({ skus: ['crm'] })).toBe(true);
});

it('a clinic whose leads come from the CRM need not, one without a CRM must', () => {
  expect(needs({ vertical: 'health', skus: ['crm'] })).toBe(false);
  expect(needs({ vertical: 'health' })).toBe(true);
});

it('a school must in any case, because registrations are completed on the site', () => {
  expect(needs({ vertical: 'education', skus: ['crm'] })).toBe(true);
});

it('a person may decide otherwise, but nobody can verify a domain that is not there', () => {
  expect(needs({ domainVerification: 'off' })).toBe(false);
  expect(needs({ vertical: 'health', skus: ['crm'], domainVerification: 'required' })).toBe(true);
  expect(needs({ domains: [], domainVerification: 'required' })).toBe(false);
});
