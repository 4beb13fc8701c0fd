/** What a webhook of an ad account means: whether an object of it has trouble, and when that is over. Pure. */

/** The newest that was told of an object in one field. */
export interface AdReport {
  readonly at: string;
  readonly code: string | null;
  readonly summary: string | null;
  readonly message: string | null;
  readonly status: string | null;
  readonly aside: string | null;
}

/** The fields of `ad_account` that this version understands, so that the app is subscribed to them. */
export const adAccountWebhookFields = [
  'with_issues_ad_objects',
  'in_process_ad_objects',
  'effective_status',
  'ad_recommendations',
  'creative_fatigue',
  'product_set_issue',
  'ads_async_creation_request',
] as const;
/** Subscribed to as `effective_status`, a change of state comes under this name, and without the new state. */
const changeOfState = 'field_changed';
const knownFields: ReadonlySet<string> = new Set([...adAccountWebhookFields, changeOfState]);
/** What tells the state of an object: what Meta answered when asked, and the end of its processing. */
const stateFields = ['effective_status', 'in_process_ad_objects'] as const;
/** `level` in the words of a change of state. */
const levelOfType: Readonly<Record<string, string>> = { campaign: 'CAMPAIGN', adset: 'AD_SET', ad: 'AD' };
/** Told after the trouble, these say that it is over. */
const healthy = new Set(['ACTIVE', 'PAUSED', 'CAMPAIGN_PAUSED', 'ADSET_PAUSED', 'ARCHIVED', 'DELETED']);
const longestText = 500;
const longestAside = 2_000;

/** Which object of the account a change is about; the account itself when it names none. */
export function objectOf(value: Readonly<Record<string, unknown>>, adAccountId: string): string {
  const id = value['id'] ?? value['object_id'] ?? value['product_set_id'];
  return typeof id === 'string' || typeof id === 'number' ? String(id).slice(0, 40) : adAccountId;
}

export function levelOf(value: Readonly<Record<string, unknown>>): string | null {
  const type = value['object_type'];
  return textOf(value['level'], 40) ?? (typeof type === 'string' ? (levelOfType[type] ?? null) : null);
}

/** A change in our words. What this version does not know is kept aside as it came. */
export function reportOf(field: string, at: string, value: Readonly<Record<string, unknown>>): AdReport {
  return {
    at,
    code: textOf(value['error_code'], 40),
    summary: textOf(value['error_summary'], longestText),
    message: textOf(value['error_message'], longestText),
    status: stateOf(value['effective_status'] ?? value['status_name'] ?? value['status']),
    aside: knownFields.has(field) ? null : JSON.stringify(value).slice(0, longestAside),
  };
}

/** The newer of two reports of one field: copies change nothing and a late one does not undo what came after it. */
export function newer(known: AdReport | undefined, told: AdReport): AdReport {
  return known === undefined || told.at > known.at ? told : known;
}

/** Whether the object has trouble, from the newest report of each field. */
export function isOpen(reports: Readonly<Record<string, AdReport>>): boolean {
  const trouble = reports['with_issues_ad_objects'];
  if (trouble === undefined) return false;
  const states = stateFields
    .flatMap((field) => reports[field] ?? [])
    .filter(({ at, status }) => status && at > trouble.at);
  const newest = states.toSorted((left, right) => right.at.localeCompare(left.at))[0];
  return newest?.status == null || !healthy.has(newest.status);
}

/** `ACTIVE`, also where Meta writes it for a person: `Campaign Paused`. */
function stateOf(value: unknown): string | null {
  return textOf(value, 60)?.toUpperCase().replaceAll(' ', '_') ?? null;
}

function textOf(value: unknown, longest: number): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, longest) : null;
}
