/** How the demo speaks of steps: the object each brings into being, and whose credential acted. */
import { provisioningSteps } from '../../shared/domain/provisioning-steps.ts';
import type { StepName, StepProducts } from '../../shared/domain/provisioning-steps.ts';

export type { StepName, WaitParty } from '../../shared/domain/provisioning-steps.ts';

/** The one product of a step worth showing in its line. */
const shownProduct = {
  'record-consent': 'pageId',
  'create-child-business': 'childBusinessId',
  'create-system-user': 'systemUserId',
  'share-credit-line': 'creditAllocationConfigId',
  'create-ad-account': 'adAccountId',
  'create-pixel': 'datasetId',
  'partner-invite': 'sharedPageId',
  'link-page-and-instagram': 'instagramIdentity',
  'create-catalog': 'catalogId',
  'prepare-offline-events': 'offlineDatasetId',
  'verify-domain': 'verifiedDomains',
  'migrate-fallback': 'formerAdAccountId',
  'finish-run': 'liveAt',
} as const satisfies { [Step in StepName]: keyof StepProducts[Step] };

const credentialNames = {
  user: 'client’s user',
  parent: 'parent system user',
  operator: 'child system user',
  none: '',
} as const;

/** The object's id, `act_123`; nothing when the step produced nothing yet. */
export function productOf(step: StepName, produced: Readonly<Record<string, unknown>>): string {
  const key = shownProduct[step];
  const value = produced[key];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(' ') : `${key}: ${JSON.stringify(value)}`;
}

export function credentialOf(step: StepName): string {
  return credentialNames[provisioningSteps[step].credential];
}
