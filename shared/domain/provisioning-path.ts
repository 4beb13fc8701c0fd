/**
 * Which way a tenant is provisioned. The rule of the document ("Account model"): a child business for every client; while
 * Meta has not granted 2-Tier access (PRE-10), an ad account on Kobi's parent business for at most five tenants, until
 * they are migrated.
 */

export const provisioningPaths = ['two-tier', 'fallback'] as const;
export type ProvisioningPath = (typeof provisioningPaths)[number];

/** Who operates a tenant's assets and sends its events: the child's system user, or the parent's standing in for it. */
export const operators = ['child', 'fallback'] as const;
export type OperatorKind = (typeof operators)[number];

export function operatorOn(path: ProvisioningPath): OperatorKind {
  return path === 'fallback' ? 'fallback' : 'child';
}

/** What `PROVISIONING_PATH` may say: `auto` decides by PRE-10. */
export const pathSettings = ['auto', ...provisioningPaths] as const;
export type PathSetting = (typeof pathSettings)[number];

/** Ad accounts the API may open in one business; Meta counts those that stand idle too. */
export const maxFallbackTenants = 5;

/**
 * The path of a new run. Without a free slot on the parent business the run takes the 2-Tier path and waits there for
 * PRE-10, so it goes on by itself when that comes, and no tenant is refused.
 */
export function choosePath(facts: {
  readonly setting: PathSetting;
  readonly pre10: boolean;
  /** The tenant has a slot already, or one is free. */
  readonly hasSlot: boolean;
}): ProvisioningPath {
  const { setting, pre10, hasSlot } = facts;
  const wanted = setting === 'fallback' || (setting === 'auto' && !pre10);
  return wanted && hasSlot ? 'fallback' : 'two-tier';
}
