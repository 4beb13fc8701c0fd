import { readOwnedDomains } from '../../../shared/meta/domains.ts';
import type { OwnedDomain } from '../../../shared/meta/domains.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

const minuteMs = 60 * 1000;
const dayMs = 24 * 60 * minuteMs;

/**
 * Waits until Meta counts every domain of the tenant as verified. Verifying is the client's to do (a DNS TXT record), so
 * this reads, says what to publish, and parks; a parent domain that is verified covers its subdomains.
 * (Document, "Onboarding checklist" 9.)
 */
export const verifyDomain: StepFactory<'verify-domain'> = (services) => async (context) => {
  const { tenant } = context;
  const { graph, businessId } = await operatorOf(services, context);
  const owned = await readOwnedDomains(graph, businessId);
  const open = tenant.domains.filter((domain) => !isVerified(covering(owned, domain)));
  if (open.length === 0) return { products: { verifiedDomains: tenant.domains } };

  const unlisted = open.filter((domain) => covering(owned, domain)?.verificationCode === undefined);
  if (unlisted.length > 0) {
    throw new Waiting({
      on: 'kobi',
      for: 'domain-listing',
      what: `Add ${unlisted.join(', ')} to business ${businessId} in Business settings → Brand safety → Domains: Meta offers no API for it.`,
      pollEveryMs: 60 * minuteMs,
      expiresAfterMs: 30 * dayMs,
    });
  }
  const records = open.map((domain) => {
    const listed = covering(owned, domain);
    return `${listed?.domainName} TXT "facebook-domain-verification=${listed?.verificationCode}"`;
  });
  throw new Waiting({
    on: 'client',
    for: 'dns-record',
    what: `Publish at your DNS provider: ${[...new Set(records)].join('; ')}`,
    pollEveryMs: 15 * minuteMs,
    expiresAfterMs: 30 * dayMs,
  });
};

/** The listed domain that is this one or a parent of it; the verified one first. */
function covering(owned: readonly OwnedDomain[], domain: string): OwnedDomain | undefined {
  const matches = owned.filter(({ domainName }) => domain === domainName || domain.endsWith(`.${domainName}`));
  return matches.find(isVerified) ?? matches[0];
}

/** Meta documents no list of states; both spellings have been seen. */
function isVerified(domain: OwnedDomain | undefined): boolean {
  return domain?.status?.toLowerCase() === 'verified';
}
