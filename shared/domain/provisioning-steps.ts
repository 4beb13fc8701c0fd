/**
 * The onboarding of a tenant as data: which steps exist, what each needs and produces, which credential acts, on which
 * path and for whom it applies and on whom it may wait. Steps do not name their successors: when one is done, the runtime starts every step
 * whose needs are now met, so independent steps run at the same time. (Document, "Onboarding checklist (2-Tier path)".)
 */
import { needsVerifiedDomain } from './domain-verification.ts';
import type { DomainNeeds } from './domain-verification.ts';
import type { ProvisioningPath } from './provisioning-path.ts';

/** Who must act before a parked step can go on. */
export const waitParties = ['client', 'meta', 'kobi'] as const;
export type WaitParty = (typeof waitParties)[number];

/** What a finished step leaves for the others: ids only, never a token. */
export interface StepProducts {
  'record-consent': { metaUserId: string; pageId: string; pageName: string; instagramUserId: string | null };
  'create-child-business': { childBusinessId: string };
  'create-system-user': { systemUserId: string; systemTokenVersion: string };
  'share-credit-line': { creditAllocationConfigId: string };
  'create-ad-account': { adAccountId: string; spendCapMinor: number };
  'create-pixel': { datasetId: string; relayKeyId: string };
  'partner-invite': { sharedPageId: string };
  'link-page-and-instagram': {
    pageLinked: true;
    instagramLinked: boolean;
    /** As whom ads appear on Instagram: the client's account, or its Page by name and picture. */
    instagramIdentity: 'instagram-account' | 'page-backed';
  };
  'create-catalog': { catalogId: string };
  'prepare-offline-events': { offlineDatasetId: string };
  'verify-domain': { verifiedDomains: string[] };
  'migrate-fallback': { formerAdAccountId: string; formerSpendCapMinor: number; pausedCampaignIds: string[] };
  'finish-run': { liveAt: string };
}

export type StepName = keyof StepProducts;

/** The facts of a tenant and of its run that decide whether a step applies. */
export interface StepAudience extends DomainNeeds {
  readonly path: ProvisioningPath;
  /** The run moves a live tenant from the parent business to one of its own; absent: no. */
  readonly isMigration?: boolean;
}

export interface StepDefinition {
  /** What a person reads beside the step. */
  readonly title: string;
  /** Direct needs; a skipped step counts as met. */
  readonly needs: readonly StepName[];
  /**
   * Whose token acts (document, "Token model"). `operator`: the child's system user, on the fallback path the parent's.
   */
  readonly credential: 'user' | 'parent' | 'operator' | 'none';
  readonly mayWaitOn: readonly WaitParty[];
  /** The object a person may name when it exists already: the effect it closes and the field its id goes to. */
  readonly adopts?: { readonly effect: string; readonly field: string; readonly id: RegExp };
  /** The paths it belongs to; absent: every path. */
  readonly paths?: readonly ProvisioningPath[];
  /** Absent: applies to every tenant. */
  readonly appliesTo?: (tenant: StepAudience) => boolean;
}

/** A Graph object's id: digits, longer than a double can hold. */
const graphId = /^\d{5,20}$/;

export const provisioningSteps = {
  'record-consent': {
    title: 'Record what the client consented to',
    needs: [],
    credential: 'user',
    mayWaitOn: ['client'],
  },
  'create-child-business': {
    title: 'Create the child Business Manager',
    needs: ['record-consent'],
    credential: 'user',
    mayWaitOn: ['client', 'meta', 'kobi'],
    paths: ['two-tier'],
    adopts: { effect: 'child-business', field: 'childBusinessId', id: graphId },
  },
  'create-system-user': {
    title: 'Mint the child system user and its token',
    needs: ['create-child-business'],
    credential: 'parent',
    mayWaitOn: ['meta', 'kobi'],
    paths: ['two-tier'],
  },
  'share-credit-line': {
    title: "Share the parent's line of credit",
    needs: ['create-child-business'],
    credential: 'parent',
    mayWaitOn: ['meta', 'kobi'],
    paths: ['two-tier'],
    adopts: { effect: 'credit-allocation-config', field: 'creditAllocationConfigId', id: graphId },
  },
  'create-ad-account': {
    title: 'Open the ad account and cap its spend',
    needs: ['record-consent', 'create-child-business', 'create-system-user', 'share-credit-line'],
    credential: 'operator',
    mayWaitOn: ['meta', 'kobi'],
    adopts: { effect: 'ad-account', field: 'adAccountId', id: /^act_\d{5,20}$/ },
  },
  'create-pixel': {
    title: 'Create the pixel, its event template and the relay key',
    needs: ['create-child-business', 'create-system-user', 'create-ad-account'],
    credential: 'operator',
    mayWaitOn: ['meta', 'kobi'],
    adopts: { effect: 'pixel', field: 'datasetId', id: graphId },
  },
  'partner-invite': {
    title: 'Invite Kobi to the Page, where the consent did not share it',
    needs: ['record-consent', 'create-child-business', 'create-system-user'],
    credential: 'operator',
    mayWaitOn: ['client', 'meta', 'kobi'],
  },
  'link-page-and-instagram': {
    title: 'Link the Page and Instagram to the ad account',
    needs: ['record-consent', 'create-child-business', 'create-system-user', 'create-ad-account', 'partner-invite'],
    credential: 'operator',
    mayWaitOn: ['client', 'meta', 'kobi'],
  },
  'create-catalog': {
    title: 'Create the product catalog',
    needs: ['create-child-business', 'create-system-user', 'create-pixel'],
    credential: 'operator',
    mayWaitOn: ['meta', 'kobi'],
    adopts: { effect: 'catalog', field: 'catalogId', id: graphId },
    appliesTo: (tenant) => tenant.skus.includes('ecommerce'),
  },
  'prepare-offline-events': {
    title: 'Prepare the dataset for CRM and offline events',
    needs: ['create-child-business', 'create-system-user', 'create-pixel'],
    credential: 'operator',
    mayWaitOn: ['meta', 'kobi'],
    appliesTo: (tenant) => tenant.skus.includes('crm'),
  },
  'verify-domain': {
    title: "Verify the client's domains",
    needs: ['create-child-business', 'create-system-user'],
    credential: 'operator',
    mayWaitOn: ['client', 'meta', 'kobi'],
    appliesTo: needsVerifiedDomain,
  },
  'migrate-fallback': {
    title: 'Move events and spend over from the parent business',
    needs: [
      'create-child-business',
      'create-system-user',
      'create-ad-account',
      'create-pixel',
      'link-page-and-instagram',
      'create-catalog',
      'prepare-offline-events',
      'verify-domain',
    ],
    credential: 'operator',
    mayWaitOn: ['meta', 'kobi'],
    paths: ['two-tier'],
    appliesTo: (tenant) => tenant.isMigration === true,
  },
  'finish-run': {
    title: 'Go live',
    needs: [
      'create-child-business',
      'create-system-user',
      'create-ad-account',
      'create-pixel',
      'link-page-and-instagram',
      'create-catalog',
      'prepare-offline-events',
      'verify-domain',
      'migrate-fallback',
    ],
    credential: 'none',
    mayWaitOn: [],
  },
} as const satisfies Record<StepName, StepDefinition>;

/** The direct needs of one step, as a type: a step can read only what it declared. */
export type NeedsOf<Step extends StepName> = (typeof provisioningSteps)[Step]['needs'][number];

/** Every step, in onboarding order. */
export const stepNames = Object.keys(provisioningSteps) as StepName[];

/** The definition with its optional parts visible. */
export function stepDefinition(step: StepName): StepDefinition {
  return provisioningSteps[step];
}

/**
 * The steps that a person may skip: nobody reads what they produce but `finish-run`, which needs only that they are over.
 */
export const skippableSteps = [
  'partner-invite',
  'link-page-and-instagram',
  'create-catalog',
  'prepare-offline-events',
  'verify-domain',
] as const;

/** The steps that name `step` among their needs. */
export function dependantsOf(step: StepName): StepName[] {
  return stepNames.filter((name) => stepDefinition(name).needs.includes(step));
}

/** Whether a step is part of this tenant's onboarding, on the path its run takes. */
export function applies(step: StepName, audience: StepAudience): boolean {
  const { appliesTo, paths } = stepDefinition(step);
  return (paths?.includes(audience.path) ?? true) && (appliesTo?.(audience) ?? true);
}
