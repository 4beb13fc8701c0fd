import { readOwnedDomains } from '../../../shared/meta/domains.ts';
import type { OwnedDomain } from '../../../shared/meta/domains.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import type { Wait } from '../../../shared/runtime/outcomes.ts';
import type { TxtAnswer } from '../../../shared/runtime/txt-lookup.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

const minuteMs = 60 * 1000;
const dayMs = 24 * 60 * minuteMs;

/** How long anybody has to do their part before a person looks at it. */
const expiresAfterMs = 30 * dayMs;

/**
 * Waits until Meta counts every domain of the tenant as verified; a parent domain that is verified covers its subdomains.
 * No call of Meta's adds or verifies a domain, so this reads what Meta has and what public DNS shows, and says who does
 * what next: Kobi lists a domain, the client publishes its TXT record, Meta sees it. Applies only where optimisation
 * events need it (`needsVerifiedDomain`). (Document, "Onboarding checklist" 9; meta "Domain Verification".)
 */
export const verifyDomain: StepFactory<'verify-domain'> = (services) => async (context) => {
  const { tenant } = context;
  const { graph, businessId } = await operatorOf(services, context);
  const owned = await readOwnedDomains(graph, businessId);
  const open = tenant.domains.filter((domain) => !isVerified(covering(owned, domain)));
  if (open.length === 0) return { products: { verifiedDomains: tenant.domains } };

  const unlisted = open.filter((domain) => covering(owned, domain) === undefined);
  if (unlisted.length > 0) {
    throw waitOn(
      'kobi',
      'domain-listing',
      60,
      `Add ${unlisted.join(', ')} in Business settings → Brand safety and suitability → Domains of business ${businessId}: Meta offers no API for it. The record to publish is read and handed to the client by itself.`,
    );
  }
  const listed = new Map(open.flatMap((domain) => covering(owned, domain) ?? []).map((known) => [known.id, known]));
  const records: DnsRecord[] = [];
  for (const { domainName, verificationCode } of listed.values()) {
    if (verificationCode === undefined) {
      throw waitOn(
        'kobi',
        'domain-code',
        60,
        `Meta's API does not show the code of ${domainName}. It is in Business settings → Brand safety and suitability → Domains → ${domainName} → Update a DNS TXT record (https://business.facebook.com/settings/owned-domains?business_id=${businessId}): have the client publish the TXT record that is shown there, then press “Verify domain”.`,
      );
    }
    const txt = `facebook-domain-verification=${verificationCode}`;
    records.push({ domainName, txt, answer: await services.lookUpTxt(domainName) });
  }
  const missing = records.filter(({ answer, txt }) => !(answer.kind === 'found' && answer.values.includes(txt)));
  if (missing.length > 0) {
    throw waitOn(
      'client',
      'dns-record',
      15,
      `Publish at your DNS provider: ${missing.map(({ domainName, txt }) => `${domainName} TXT "${txt}"`).join('; ')}. ${missing.map(seenNow).join(' ')}`,
    );
  }
  throw waitOn(
    'meta',
    'domain-check',
    15,
    `The TXT record of ${records.map(({ domainName }) => domainName).join(', ')} is public. Meta looks for it within 72 hours; Kobi can press “Verify domain” in Business settings → Brand safety and suitability → Domains of business ${businessId} to have it looked for at once.`,
  );
};

interface DnsRecord {
  readonly domainName: string;
  /** The value to publish. */
  readonly txt: string;
  readonly answer: TxtAnswer;
}

/** What public DNS shows at the moment, so that the client sees how far a change has come. */
function seenNow({ answer, domainName }: DnsRecord): string {
  switch (answer.kind) {
    case 'none':
      return `Public DNS shows no TXT record of ${domainName} yet.`;
    case 'unknown':
      return `Public DNS did not answer for ${domainName} just now.`;
    case 'found':
      return answer.values.some((value) => value.startsWith('facebook-domain-verification='))
        ? `Public DNS shows another facebook-domain-verification for ${domainName}: add this one beside it.`
        : `Public DNS shows TXT records of ${domainName}, but not this one yet.`;
  }
}

function waitOn(on: Wait['on'], awaited: string, pollEveryMinutes: number, what: string): Waiting {
  return new Waiting({ on, for: awaited, what, pollEveryMs: pollEveryMinutes * minuteMs, expiresAfterMs });
}

/** The listed domain that is this one or a parent of it; the verified one first. */
function covering(owned: readonly OwnedDomain[], domain: string): OwnedDomain | undefined {
  const matches = owned.filter(({ domainName }) => domain === domainName || domain.endsWith(`.${domainName}`));
  return matches.find(isVerified) ?? matches[0];
}

/** Meta documents no list of states; both spellings have been seen. */
function isVerified(domain: OwnedDomain | undefined): boolean {
  return domain?.status?.toLowerCase() === 'verified';
}
