/**
 * What Meta's error codes mean for us: one table from code and subcode to a class and a stable reason.
 *
 * Decided on `code` and `error_subcode`, never on text (Graph API, "Handling Errors"; Marketing API, "Error Codes").
 * Seven-digit Business Manager errors are documented as bare numbers and arrive as either, so a rule that is only a
 * `code` with five digits or more also matches when that number comes as the subcode.
 */

/**
 * - `transient` try again with back-off
 * - `throttled` no call before `retryAtMs`; Meta's limit will lift by itself
 * - `rescheduled` a limit on one kind of change: do that change at `retryAtMs`, other calls may go on
 * - `token-dead` this token will never work again: re-mint (child) or reconnect (user)
 * - `permission` a person must grant or accept something
 * - `policy-block` Meta stopped this party: back off for hours, tell a person
 * - `config-bug` the request itself is wrong, ours to fix
 * - `quota` a fixed maximum is used up
 * - `not-found` the object is not there, or this token may not see it
 * - `unknown-outcome` a write whose answer was lost: look before writing again
 */
export const graphErrorClasses = [
  'transient',
  'throttled',
  'rescheduled',
  'token-dead',
  'permission',
  'policy-block',
  'config-bug',
  'quota',
  'not-found',
  'unknown-outcome',
] as const;
export type GraphErrorClass = (typeof graphErrorClasses)[number];

export interface ErrorRule {
  readonly code: number | readonly [from: number, to: number];
  /** Absent: every subcode that no other rule names. `null`: only when Meta sent none. */
  readonly subcode?: number | readonly number[] | null;
  readonly class: GraphErrorClass;
  /** Stable name for code that must tell two errors of one class apart, and for dashboards. */
  readonly reason: string;
  /** How long until it is worth trying again, when Meta names no time itself. */
  readonly waitMs?: number;
  /** What to do, in words for the person who looks at it. */
  readonly advice: string;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

// One error a line, however long: the table is read by scanning down.
// prettier-ignore
export const errorTable = [
  // Service trouble
  { code: 2, subcode: [1504041, 1504042], class: 'config-bug', reason: 'bad-report-query', advice: 'Meta cannot combine these breakdowns or metrics: change the report.' },
  { code: [1, 2], class: 'transient', reason: 'service-trouble', advice: 'Meta had a temporary problem; it is tried again.' },
  { code: -2, class: 'transient', reason: 'report-failed', advice: 'The report run failed at Meta; it is tried again.' },
  { code: -3, subcode: 1504045, class: 'config-bug', reason: 'report-too-large', advice: 'Ask for fewer rows, days or breakdowns.' },
  { code: 100, subcode: 1487534, class: 'config-bug', reason: 'report-too-large', advice: 'Ask for fewer rows, days or breakdowns, or run it asynchronously.' },
  { code: 100, subcode: 1504018, class: 'transient', reason: 'report-timeout', advice: 'The report timed out at Meta; it is tried again.' },
  { code: 3902, class: 'transient', reason: 'technical-trouble', advice: 'Meta had a technical problem with the ad account; it is tried again.' },
  { code: 3912, class: 'transient', reason: 'technical-trouble', advice: 'Meta had a technical problem with the business; it is tried again.' },
  { code: 1404006, class: 'transient', reason: 'try-later', advice: 'Meta asks to try again later.' },
  { code: 3910001, class: 'transient', reason: 'try-later', advice: 'Meta asks to try again later.' },
  { code: 5000, class: 'transient', reason: 'service-trouble', advice: 'Meta had a temporary problem; it is tried again.' },
  { code: 21009, class: 'transient', reason: 'dataset-not-ready', advice: 'The dataset takes no uploads for a moment; it is tried again.' },

  // Limits that lift by themselves
  { code: 17, subcode: 1885172, class: 'rescheduled', reason: 'spend-cap-changes-used-up', waitMs: 24 * hourMs, advice: 'Ten spend cap changes a day are used up; the change is made tomorrow.' },
  { code: 613, subcode: 1487632, class: 'rescheduled', reason: 'budget-changes-used-up', waitMs: hourMs, advice: 'Four budget changes an hour are used up for this ad set; the change is made in an hour.' },
  { code: 613, subcode: 1487225, class: 'rescheduled', reason: 'ad-creation-limit', waitMs: hourMs, advice: 'Meta limits new ads by daily spend; the ad is created later.' },
  { code: 613, subcode: null, class: 'rescheduled', reason: 'abuse-limit', waitMs: 24 * hourMs, advice: 'Meta suspects abuse of the API: stop, and contact Meta support.' },
  { code: 613, subcode: 5044001, class: 'throttled', reason: 'mutations-per-second', waitMs: 5 * secondMs, advice: 'More than 100 changes a second on one ad account.' },
  { code: 613, class: 'throttled', reason: 'account-limit', waitMs: 5 * minuteMs, advice: 'The ad account reached its call limit.' },
  { code: 4, subcode: [1504022, 1504039], class: 'throttled', reason: 'insights-limit', waitMs: 5 * minuteMs, advice: 'Reports of this ad account reached their limit.' },
  { code: 4, class: 'throttled', reason: 'app-limit', waitMs: minuteMs, advice: 'The app reached its call limit.' },
  { code: 17, class: 'throttled', reason: 'account-limit', waitMs: 5 * minuteMs, advice: 'The ad account reached its call limit.' },
  { code: 32, class: 'throttled', reason: 'page-limit', waitMs: 5 * minuteMs, advice: 'The Page reached its call limit.' },
  { code: 341, class: 'throttled', reason: 'app-limit', waitMs: minuteMs, advice: 'The app reached its call limit.' },
  { code: 80014, class: 'throttled', reason: 'catalog-batch-limit', waitMs: minuteMs, advice: 'The catalog reached its limit of batch calls.' },
  { code: [80000, 80014], class: 'throttled', reason: 'business-use-case-limit', waitMs: 5 * minuteMs, advice: 'This use of the API reached its hourly limit.' },

  // Tokens
  { code: 190, subcode: 463, class: 'token-dead', reason: 'token-expired', advice: 'The token expired.' },
  { code: 190, subcode: 460, class: 'token-dead', reason: 'password-changed', advice: 'The person changed their password: they must connect again.' },
  { code: 190, subcode: 458, class: 'token-dead', reason: 'app-removed', advice: 'The person removed the app: they must connect again.' },
  { code: 190, subcode: [459, 464], class: 'token-dead', reason: 'account-checkpoint', advice: 'Facebook asks the person to confirm their account, then to connect again.' },
  { code: 190, class: 'token-dead', reason: 'token-invalid', advice: 'The token is no longer valid.' },
  { code: 102, class: 'token-dead', reason: 'session-invalid', advice: 'The session behind the token ended.' },
  { code: 104, class: 'config-bug', reason: 'bad-app-secret-proof', advice: 'The app secret does not belong to the app that issued the token.' },
  { code: 100, subcode: 36009, class: 'token-dead', reason: 'login-code-used', advice: 'The login code was already used: the person must connect again.' },

  // Permissions: a person must act
  { code: 3, class: 'permission', reason: 'capability-missing', advice: 'The app may not make this call: check its capabilities and access tier.' },
  { code: 10, class: 'permission', reason: 'permission-missing', advice: 'The app or the token lacks a permission.' },
  { code: 270, class: 'permission', reason: 'development-access', advice: 'The app has development access only: ask Meta for Full access.' },
  { code: 294, class: 'permission', reason: 'ads-management-missing', advice: 'The app needs ads_management and the allow-list of the Marketing API.' },
  { code: 200, subcode: [1870034, 1870090, 1870092], class: 'permission', reason: 'terms-not-accepted', advice: "A person must accept Meta's audience or business tools terms." },
  { code: 1870034, class: 'permission', reason: 'terms-not-accepted', advice: 'A person must accept the custom audience terms.' },
  { code: 1870090, class: 'permission', reason: 'terms-not-accepted', advice: 'A person must accept the custom audience terms.' },
  { code: 1870092, class: 'permission', reason: 'terms-not-accepted', advice: 'A person must accept the business tools terms.' },
  { code: 2708008, class: 'permission', reason: 'issue-ads-authorization', advice: 'Person and Page must be authorised for ads about social issues in that country.' },
  { code: 415, class: 'permission', reason: 'two-factor-required', advice: 'The business requires two-factor authentication of the person.' },
  { code: 457, class: 'permission', reason: 'session-origin', advice: 'The session comes from a place this business does not allow.' },
  { code: 100, subcode: 3191001, class: 'permission', reason: 'permission-missing', advice: 'The token may not read this report.' },
  { code: 3913, class: 'permission', reason: 'may-not-create-business', advice: 'This person may not create a business.' },
  { code: 1690138, class: 'permission', reason: 'not-page-admin', advice: 'The person who connected is not an admin of the Page.' },
  { code: 1690192, class: 'permission', reason: 'app-not-owned', advice: "The app must be owned by Kobi's parent business." },
  { code: 104001, class: 'permission', reason: 'app-not-owned', advice: 'The app must belong to this business.' },
  { code: 1815199, class: 'permission', reason: 'instagram-not-authorized', advice: 'The ad account has no access to this Instagram account.' },
  { code: 2859040, class: 'permission', reason: 'page-business-not-allowed', advice: 'The Page belongs to a business that may not take part.' },
  { code: 1690111, class: 'permission', reason: 'payment-account-disabled', advice: 'The payment account is disabled: settle it in Business Manager.' },
  { code: [200, 299], class: 'permission', reason: 'permission-missing', advice: 'The token lacks a permission on this object.' },

  // Policy
  { code: 368, class: 'policy-block', reason: 'temporarily-blocked', waitMs: 6 * hourMs, advice: 'Meta blocked this action for policy reasons for some time.' },
  { code: 1404163, class: 'policy-block', reason: 'advertising-restricted', advice: 'This party may not advertise: request a review in Account Quality.' },
  { code: 1404078, class: 'policy-block', reason: 'advertising-restricted', advice: 'This party may not advertise: request a review in Account Quality.' },
  { code: 2859015, class: 'policy-block', reason: 'business-restricted', advice: 'The business is restricted: request a review in Account Quality.' },

  // Maxima
  { code: 3979, class: 'quota', reason: 'ad-account-limit', advice: 'The business has as many ad accounts as the API may create.' },
  { code: 3980, class: 'quota', reason: 'ad-account-in-bad-standing', advice: 'An ad account of the business is in review or bad standing: no new one until that is solved.' },
  { code: 3949, class: 'quota', reason: 'system-user-limit', advice: 'The business has all the system users it may have.' },
  { code: 3965, class: 'quota', reason: 'admin-system-user-limit', advice: 'A business may have one admin system user, and it exists.' },
  { code: 1690165, class: 'quota', reason: 'user-has-child-business', advice: 'This person already has a child business with Kobi.' },
  { code: 1752089, class: 'quota', reason: 'user-has-a-business', advice: 'This person may have one business at a time.' },
  { code: 1690232, class: 'quota', reason: 'primary-page-taken', advice: 'Each child business needs its own primary Page; this one is taken.' },
  { code: 6202, class: 'quota', reason: 'several-pixels-exist', advice: 'The ad account has more than one pixel: choose one and adopt it.' },

  // Objects
  { code: 6200, class: 'config-bug', reason: 'pixel-exists', advice: 'The ad account already has its pixel: use that one.' },
  { code: 100, subcode: 33, class: 'not-found', reason: 'object-not-visible', advice: 'The object does not exist, or the system user is not assigned to it.' },
  { code: 100, subcode: 34, class: 'not-found', reason: 'object-not-visible', advice: 'The object does not exist, or the system user is not assigned to it.' },
  { code: 803, class: 'not-found', reason: 'object-not-visible', advice: 'No object has this id.' },
  { code: 1487831, class: 'not-found', reason: 'product-set-empty', advice: 'The product set is empty or not accessible.' },

  // Our requests
  { code: 3947, class: 'config-bug', reason: 'business-name-taken', advice: 'The person is already in a business of this name.' },
  { code: 1690062, class: 'config-bug', reason: 'business-name-taken', advice: 'The business name is in use.' },
  { code: 3974, class: 'config-bug', reason: 'business-name-refused', advice: "Meta refuses this business name: use the tenant's public name." },
  { code: 1690090, class: 'config-bug', reason: 'business-name-refused', advice: "Meta refuses this business name: use the tenant's public name." },
  { code: 1690091, class: 'config-bug', reason: 'business-name-refused', advice: "Meta refuses this business name: use the tenant's public name." },
  { code: 1752129, class: 'config-bug', reason: 'task-combination', advice: 'These tasks cannot be assigned together.' },
  { code: 100, subcode: 2804003, class: 'config-bug', reason: 'event-too-old', advice: 'An event of the batch is older than Meta accepts.' },
  { code: 100, subcode: 2804009, class: 'config-bug', reason: 'purchase-without-value', advice: 'A Purchase of the batch has no value or currency.' },
  { code: 100, subcode: 2804050, class: 'config-bug', reason: 'too-few-identifiers', advice: 'An event of the batch has too little customer information.' },
  { code: 100, subcode: 2804036, class: 'config-bug', reason: 'bad-lead-id', advice: 'A lead id of the batch is wrong or deleted.' },
  { code: 2804030, class: 'config-bug', reason: 'data-use-selection-missing', advice: 'An event lacks its limited data use selection.' },
  { code: [2200, 2201], class: 'config-bug', reason: 'callback-not-verified', advice: 'The webhook address did not answer the challenge of Meta: see that it is reached from the internet and knows the verify token.' },
  { code: 105, class: 'config-bug', reason: 'too-many-parameters', advice: 'The request has too many parameters.' },
  { code: 2635, class: 'config-bug', reason: 'version-expired', advice: 'The Graph API version expired: upgrade shared/meta/version.ts.' },
  { code: 12, class: 'config-bug', reason: 'deprecated', advice: 'Meta removed this call or field.' },
  { code: 3018, class: 'config-bug', reason: 'date-out-of-range', advice: 'Reports reach back 37 months.' },
  { code: 2500, class: 'config-bug', reason: 'bad-query', advice: 'Meta could not read the query.' },
  { code: 100, class: 'config-bug', reason: 'invalid-parameter', advice: 'Meta refuses a parameter; blameFields names it when Meta does.' },
] as const satisfies readonly ErrorRule[];

/** Every reason a Graph error can carry: those of the table and the few the client itself decides. */
export type GraphErrorReason =
  | (typeof errorTable)[number]['reason']
  | 'answer-lost'
  | 'not-reached'
  | 'not-graph'
  | 'unexpected-answer'
  | 'ambiguous-match'
  | 'bad-request'
  | 'blocked-until'
  | 'unlisted-error';

/**
 * The first rule that names code and subcode; then, for numbers Meta sends in either place, the rule whose code equals
 * the subcode; then the rule for the bare code. `undefined`: nobody has met this error yet.
 */
export function ruleFor(
  code: number,
  subcode: number | undefined,
): (ErrorRule & { reason: GraphErrorReason }) | undefined {
  const rules: readonly (ErrorRule & { reason: GraphErrorReason })[] = errorTable;
  return (
    rules.find((rule) => covers(rule.code, code) && rule.subcode !== undefined && namesSubcode(rule, subcode)) ??
    (subcode === undefined ? undefined : rules.find((rule) => isUnmistakable(rule) && rule.code === subcode)) ??
    rules.find((rule) => covers(rule.code, code) && rule.subcode === undefined)
  );
}

function covers(code: ErrorRule['code'], actual: number): boolean {
  return typeof code === 'number' ? code === actual : actual >= code[0] && actual <= code[1];
}

function namesSubcode(rule: ErrorRule, subcode: number | undefined): boolean {
  if (rule.subcode === null) return subcode === undefined;
  if (typeof rule.subcode === 'number') return rule.subcode === subcode;
  return subcode !== undefined && (rule.subcode?.includes(subcode) ?? false);
}

/** A number too long to mean one thing as a code and another as a subcode. Four-digit Business Manager numbers count too. */
function isUnmistakable(rule: ErrorRule): boolean {
  return typeof rule.code === 'number' && rule.code >= 3_000 && rule.subcode === undefined;
}
