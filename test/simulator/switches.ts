/**
 * Behaviours Meta does not document, or that no source could verify. Each is one named switch with its reason and the
 * default the simulator starts with; `POST /_sim/switches` changes them. Where a guess was needed the default is the one
 * that finds more mistakes in a client.
 */
interface SwitchDefinition<T extends boolean | number | string> {
  readonly default: T;
  readonly choices?: readonly T[];
  readonly reason: string;
}

const onOff = (value: boolean, reason: string): SwitchDefinition<boolean> => ({ default: value, reason });
const amount = (value: number, reason: string): SwitchDefinition<number> => ({ default: value, reason });
const choice = <const T extends string>(choices: readonly T[], value: NoInfer<T>, reason: string) =>
  ({ default: value, choices, reason }) satisfies SwitchDefinition<T>;

export const switchDefinitions = {
  require_appsecret_proof: onOff(true, 'App setting "Require App Secret"; on in every serious production app.'),
  app_calls_per_hour: amount(
    0,
    'An app has 200 calls an hour for each of its users, so the number is its own. 0: told against 100,000, never refused.',
  ),
  ads_api_access_tier: choice(
    ['standard_access', 'development_access'],
    'standard_access',
    'Full or Limited Marketing API Access Tier; the header values kept their old names.',
  ),
  app_mode: choice(['live', 'development'], 'live', 'In development mode an app may create two child businesses.'),
  answered_version: choice(
    ['asked', 'oldest_left'],
    'asked',
    'A call on a version that has ended is answered by the oldest one left; only a header tells.',
  ),
  app_subscription_post: choice(
    ['replaces', 'adds'],
    'replaces',
    'Whether the fields of a second POST /{app}/subscriptions replace those of the first or come beside them is not stated today.',
  ),
  app_shows_deauth_callback: onOff(
    true,
    'The specification has deauth_callback_url as a field of the app; who is shown it is not stated. Off: it is left out.',
  ),
  ad_account_webhook_needs_values: onOff(
    true,
    'An integrator found that subscribing to ad_account fails without include_values; the reference does not say.',
  ),
  app_owned_by_parent: onOff(true, 'Off: the parent has not claimed the app (1690192).'),
  parent_app_allow_listed: onOff(true, 'Meta allow-lists apps for two-tier businesses by hand; off: code 3.'),
  parent_is_finance_editor: onOff(true, 'The guide says the parent system user needs Finance Editor to share credit.'),
  credit_line_available: onOff(true, 'Off: Meta has not yet granted the parent its line of credit.'),
  external_id_unique: onOff(
    false,
    'Whether Meta refuses a second child with the same child_business_external_id is not documented.',
  ),
  business_name_rejects_underscore: choice(
    ['off', '3974', '1690090', '1690091'],
    'off',
    'Names may hold no special characters; whether "_" is one is not stated. The value is the error number to answer.',
  ),
  business_name_unique_per_user: onOff(false, '3947 exists; off, so that careless retries make visible duplicates.'),
  business_name_unique: onOff(false, '1690062 exists; off for the same reason.'),
  one_child_per_user: choice(
    ['off', '1690165', '1752089'],
    'off',
    'Historic rule; today several children are allowed when each has a primary Page.',
  ),
  child_primary_page_unique: onOff(false, '1690232 exists; off, so that careless retries make visible duplicates.'),
  child_business_requires_page: onOff(false, 'The parameter text says required, the guide says optional.'),
  page_tasks_required_with_page: onOff(true, 'The parameter text says page_permitted_tasks is required.'),
  business_error_placement: choice(
    ['subcode', 'code'],
    'subcode',
    'Where the seven-digit business errors arrive is not stated: code 100 with the subcode, or as the code itself.',
  ),
  shared_page_arrives: onOff(
    true,
    'Off: the child business comes into being without the Page it was given, as integrators report now and then.',
  ),
  spend_cap_above_spent: onOff(
    false,
    'On: a cap must exceed what was spent by a tenth, as Ads Manager asks; whether the API does is not stated.',
  ),
  api_account_limit: amount(
    5,
    'Ad accounts the API opens per business; Meta says 5, businesses of good standing have more.',
  ),
  parent_token_may_create_child: onOff(false, 'Meta names the user token for owned_businesses; others get 3913.'),
  child_token_repeat: choice(
    ['new', 'same'],
    'new',
    'Calling access_token again returns a token for the same child; whether it is a new one is not stated.',
  ),
  child_token_life: choice(
    ['never', '60 days'],
    'never',
    'System-user tokens are of a never-expiring or a 60-day kind; which of them this call gives is not stated.',
  ),
  credit_allocation_unique: onOff(
    false,
    'Off: a second allocation for one child is really made, so a careless client shows.',
  ),
  credit_amount_unit: choice(['whole', 'hundredths'], 'whole', 'The unit of a bare amount number is not verified.'),
  funding_id_is_child_credit: onOff(true, 'The sample passes the id the child reads from extendedcredits.'),
  spend_cap_floor: choice(
    ['off', 'spent', 'spent_plus_tenth'],
    'off',
    'Guides say a cap must be above what is spent already (some: by a tenth); the reference names no error for it.',
  ),
  client_pages_creatable: onOff(
    true,
    'The specification has POST client_pages, the pages of Meta say it cannot be created. Off: it answers 100.',
  ),
  pixel_unassigned_error: choice(
    ['unknown_object', 'permission'],
    'unknown_object',
    'Sending to a pixel without an assignment: seen as 100/33; some guides say 200.',
  ),
  catalog_assignment_required: onOff(false, 'Whether the creating admin system user must be assigned is not stated.'),
  catalog_batch_seconds: amount(1, 'How long Meta takes over a batch of items; minutes for large ones, by reports.'),
  catalog_batch_unfinished_status: choice(
    ['in_progress', 'started'],
    'in_progress',
    'Only the status "finished" of a batch is documented.',
  ),
  catalog_batch_calls_per_minute: amount(
    200,
    'Two official pages differ: 8 + 8*log2(impressions) a minute, or 200 + 200*log2(users) an hour.',
  ),
  catalog_management_calls_per_hour: amount(
    20_000,
    'Calls on a catalog other than items_batch: 20,000 and 20,000*log2(impressions) an hour.',
  ),
  catalog_batch_size_limit: amount(5_000, 'The hard limit of items a batch; fewer than 3,000 are advised.'),
  catalog_name_unique: onOff(false, 'Off: two catalogs may bear one name, so a careless client shows.'),
  new_datasets_consolidated: onOff(true, 'New pixels read is_consolidated_container=true; older ones did not.'),
  domain_listing: choice(
    ['automatic', 'ui_only'],
    'automatic',
    'No documented call creates a domain. automatic: the child lists the domain of its shared Page; ui_only: a person adds it.',
  ),
  domain_verifies_itself: onOff(
    true,
    'Meta looks for the record within 72 hours, or when a person clicks; on: at once. Off: only POST /_sim/domains/verify.',
  ),
  domain_shows_code: onOff(
    true,
    'OwnedDomain has a verification_code; whether it is filled for every caller is not stated. Off: it is left out.',
  ),
  domain_status_spelling: choice(
    ['lower', 'upper'],
    'lower',
    'The values of OwnedDomain.status are not documented: verified / not_verified, or in capitals.',
  ),
  login_grants_global_scope: onOff(
    false,
    'On: granular_scopes carry no target_ids, as for permissions that cover every Page.',
  ),
  login_all_or_none: onOff(
    false,
    'Meta says a Business login grants all permissions or none; on: a partial grant is a cancel.',
  ),
  website_requires_user_agent: onOff(
    true,
    'Documents require client_user_agent for website events; a live probe accepted events without it.',
  ),
  click_id_format_enforced: onOff(true, 'Whether a malformed fbc or fbp is refused or only reported is not stated.'),
  strict_event_keys: onOff(true, 'Meta ignores unknown keys of an event; refusing them finds spelling mistakes.'),
  event_error_names_index: onOff(
    false,
    'Meta documents no index of the bad event; on: error_user_msg names it, for debugging.',
  ),
  future_tolerance_s: amount(60, 'How far ahead event_time may be is not documented; integrators saw refusals.'),
  quality_fewest_events: amount(20, 'How many events a composite score takes is not documented; below, it is absent.'),
  retained_events_per_dataset: amount(20_000, 'Memory bound: payloads kept per dataset; counts are always complete.'),
  paging_next_has_token: onOff(false, "Meta's next links repeat the token; off, so that none can reach a log."),
  enforce_rate_limits: onOff(true, 'Refuse calls above the account score and the hourly business-use-case quota.'),
  insights_null_breakdown: choice(
    ['absent', 'null'],
    'absent',
    'How a row without a value for a breakdown arrives is not documented: the key left out, or null.',
  ),
  insights_purchase_aliases: choice(
    ['all', 'without omni', 'pixel only'],
    'all',
    'Which of the overlapping purchase types an account lists differs; omni_purchase is not in all of them.',
  ),
  insights_opt_in_breakdowns: onOff(true, 'Off: breakdowns that need an opt-in since 2026-08-06 are not broken down.'),
  insights_sync_row_limit: amount(2_000, 'Above it a report asked at once is too much data; Meta names no number.'),
  insights_async_row_limit: amount(200_000, 'The same for a report run.'),
  insights_page_row_limit: amount(1_000, 'The most rows on a page of a report, whatever limit was asked for.'),
  insights_calls_per_hour: amount(0, 'Hourly budget of reports for an account; 0: by access tier, 600 or 190,000.'),
  report_run_failure_percent: amount(0, 'How many of 100 report runs fail, are skipped, get stuck or are lost.'),
  throttle_http_status: choice(['400', '429'], '400', 'Sources differ on the HTTP status of throttled calls.'),
} satisfies Record<string, SwitchDefinition<boolean> | SwitchDefinition<number> | SwitchDefinition<string>>;

type Definitions = typeof switchDefinitions;
type Widened<D> = D extends { choices: readonly (infer C)[] }
  ? C
  : D extends { default: boolean }
    ? boolean
    : D extends { default: number }
      ? number
      : never;

export type Switches = { -readonly [K in keyof Definitions]: Widened<Definitions[K]> };

export class UnknownSwitch extends Error {}

export const defaultSwitches = (): Switches =>
  Object.fromEntries(Object.entries(switchDefinitions).map(([name, { default: value }]) => [name, value])) as Switches;

/** Applies named values in place; a name or value outside the table throws {@link UnknownSwitch} and changes nothing. */
export function applySwitches(switches: Switches, changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) {
    const definition: SwitchDefinition<boolean | number | string> | undefined = Object.hasOwn(switchDefinitions, name)
      ? switchDefinitions[name as keyof Definitions]
      : undefined;
    if (definition === undefined) {
      throw new UnknownSwitch(`unknown switch "${name}"; known: ${Object.keys(switchDefinitions).join(', ')}`);
    }
    const valid =
      definition.choices === undefined
        ? typeof value === typeof definition.default
        : definition.choices.some((known) => known === value);
    if (!valid) {
      const expected = definition.choices?.join(' | ') ?? typeof definition.default;
      throw new UnknownSwitch(`switch "${name}" must be ${expected}, not ${JSON.stringify(value)}`);
    }
  }
  Object.assign(switches, changes);
}
