import { parse } from 'tldts';
import * as v from 'valibot';
import { ALPHA_2 } from '../../../shared/domain/identifiers/country-codes.ts';
import { metaTimezones } from '../../../shared/domain/meta-timezones.ts';
import { slugPattern, slugRule } from '../../../shared/domain/naming.ts';
import { planCurrencies, planIds } from '../../../shared/domain/plans.ts';
import { skus } from '../../../shared/domain/skus.ts';
import { verticals } from '../../../shared/domain/vertical-templates.ts';

const maxDomains = 20;
const visibleText = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u;

const domain = v.pipe(
  v.string(),
  v.transform((name) => name.toLowerCase()),
  v.check(isRegistrable),
);

/** The body of `POST /tenants`: each field's rule, and the rule in words. */
export const tenantFields = {
  slug: { schema: v.pipe(v.string(), v.regex(slugPattern)), expected: [slugRule] },
  name: {
    schema: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100), v.regex(visibleText)),
    expected: ['1-100 printable characters'],
  },
  planId: { schema: v.picklist(planIds), expected: planIds },
  vertical: { schema: v.picklist(verticals), expected: verticals },
  skus: {
    schema: v.pipe(
      v.array(v.picklist(skus)),
      v.check((list) => new Set(list).size === list.length),
    ),
    expected: ['a list, each at most once, of:', ...skus],
  },
  country: {
    schema: v.pipe(
      v.string(),
      v.check((code) => /^[A-Z]{2}$/.test(code) && ALPHA_2.has(code.toLowerCase())),
    ),
    expected: ['an ISO 3166-1 alpha-2 code in capitals, such as TR'],
  },
  currency: { schema: v.picklist(planCurrencies), expected: planCurrencies },
  timezone: {
    schema: v.picklist(metaTimezones),
    expected: ['an IANA time zone that Meta knows, such as Europe/Istanbul'],
  },
  domains: {
    schema: v.pipe(
      v.array(domain),
      v.maxLength(maxDomains),
      v.transform((names) => [...new Set(names)]),
    ),
    expected: [
      `a list of up to ${maxDomains} domain names such as example.com, without scheme, port or path; not a public suffix`,
    ],
  },
} as const;

/** A host name under which somebody can register; a name in its ASCII form, as DNS has it. */
function isRegistrable(name: string): boolean {
  const parts = parse(name, { allowPrivateDomains: true, extractHostname: false });
  return (
    parts.domain !== null &&
    parts.isIp !== true &&
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/.test(name) &&
    name.length <= 253
  );
}
