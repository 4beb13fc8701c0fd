/** Domains of a business. Meta offers no documented way to add or verify one by API: it is read, and the client acts. */
import * as v from 'valibot';
import { graphId } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

export interface OwnedDomain {
  readonly id: string;
  readonly domainName: string;
  /** e.g. `verified`; Meta documents no list. */
  readonly status?: string | undefined;
  /** Goes into the DNS TXT record `facebook-domain-verification=<code>`. */
  readonly verificationCode?: string | undefined;
}

const ownedDomain = v.object({
  id: graphId,
  domain_name: v.string(),
  status: v.optional(v.string()),
  verification_code: v.optional(v.string()),
});

/** `GET /{business}/owned_domains`, every one. */
export async function readOwnedDomains(
  graph: GraphAs<CredentialFor<'read-owned-domains'>>,
  businessId: string,
): Promise<OwnedDomain[]> {
  const fields = Object.keys(ownedDomain.entries).join(',');
  const domains = await graph.list(graphPath(businessId, 'owned_domains'), { fields }, ownedDomain);
  return domains.map((domain) => ({
    id: domain.id,
    domainName: domain.domain_name,
    status: domain.status,
    verificationCode: domain.verification_code,
  }));
}
