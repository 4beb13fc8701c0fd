import type { Sku } from './skus.ts';
import { verticalTemplates } from './vertical-templates.ts';
import type { Vertical } from './vertical-templates.ts';

/** `auto` decides by the vertical's template; a person may say otherwise. */
export const domainVerificationSettings = ['auto', 'required', 'off'] as const;
export type DomainVerification = (typeof domainVerificationSettings)[number];

/** Optimisation events that only happen on the client's own site. The others may come from its CRM instead. */
const onSiteOnly: readonly string[] = ['Purchase', 'AddToCart', 'CompleteRegistration'];

/** The facts of a tenant that decide whether its domains must be verified. */
export interface DomainNeeds {
  readonly vertical: Vertical;
  readonly skus: readonly Sku[];
  readonly domains: readonly string[];
  readonly domainVerification: DomainVerification;
}

/**
 * Whether the client's domains must be verified before the tenant goes live: when campaigns of its vertical optimise for
 * an event that comes from its site. With the CRM SKU leads and appointments come from the CRM, which needs no domain.
 * (Document, "Onboarding checklist" 9: "client DNS if required for optimization events".)
 */
export function needsVerifiedDomain({ domains, domainVerification, skus, vertical }: DomainNeeds): boolean {
  if (domains.length === 0 || domainVerification === 'off') return false;
  if (domainVerification === 'required') return true;
  const hasCrm = skus.includes('crm');
  return verticalTemplates[vertical].optimisationEvents.some((event) => onSiteOnly.includes(event) || !hasCrm);
}
