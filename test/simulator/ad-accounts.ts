import { endpoint } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { GraphError, invalidParameter } from './graph-error.ts';
import { adAccountCurrencies, toMinor } from './meta-enums.ts';
import {
  bool,
  decimal,
  fromJson,
  id,
  json,
  listOf,
  map,
  Mismatch,
  oneOf,
  optional,
  type ParameterType,
  required,
  text,
  unsigned,
} from './parameters.ts';
import { adAccount } from './shapes.ts';
import type { Switches } from './switches.ts';
import { secondsPerDay } from './tokens.ts';
import type { AdAccount } from './world.ts';

const capChangesPerDay = 10;

const active = 1;

/** A Page or app id, or NONE / UNFOUND, where Meta says only `Object` or `string`. */
const advertiser = (described: string): ParameterType<string> => ({
  described,
  read(raw) {
    const value = fromJson(raw);
    if (typeof raw === 'string' && /^\d{1,20}$/.test(raw)) return raw;
    if (value === 'NONE' || value === 'UNFOUND') return value;
    throw new Mismatch('must be a Page or app id, NONE or UNFOUND.');
  },
});

const currencyCode: ParameterType<string> = {
  described: 'string',
  read: (raw) => oneOf(adAccountCurrencies).read(raw),
};

const spendCapAction: ParameterType<string> = {
  described: 'string',
  read: (raw) => oneOf(['reset', 'delete']).read(raw),
};

const createAdAccount = endpoint({
  operation: 'create_ad_account',
  method: 'POST',
  on: 'business',
  edge: 'adaccount',
  credentials: ['parent', 'child'],
  scopes: ['ads_management', 'business_management'],
  business: 'own',
  parameters: {
    name: required(text),
    currency: required(currencyCode),
    timezone_id: required(unsigned),
    end_advertiser: required(advertiser('Object')),
    media_agency: required(advertiser('string')),
    partner: required(advertiser('string')),
    funding_id: optional(id),
    invoice: optional(bool),
    invoice_group_id: optional(id),
    invoicing_emails: optional(listOf(text)),
    io: optional(bool),
    po_number: optional(text),
    ad_account_created_from_bm_flag: optional(bool),
  },
  handle({ node: owner, params, context, nowMs }) {
    const { store, switches } = context;
    const existing = store.many('ad_account', owner.adAccountIds);
    if (existing.some(({ accountStatus }) => accountStatus !== active)) {
      throw new GraphError({
        code: 3980,
        message: '(#3980) One or more of the ad accounts in your business are in bad standing',
      });
    }
    if (existing.length >= switches.api_account_limit) {
      throw new GraphError({
        code: 3979,
        message: '(#3979) You have exceeded the number of allowed ad accounts for your business',
      });
    }
    if (params.timezone_id > 592) throw invalidParameter('timezone_id', 'is not a known timezone.');
    if (params.funding_id !== undefined && switches.funding_id_is_child_credit) {
      const credit = store.find('extended_credit', params.funding_id);
      if (credit?.ownerBusinessId !== owner.id || credit.isAccessRevoked) {
        throw invalidParameter('funding_id', 'is not a funding source of this business.');
      }
    }
    const accountId = store.newId('ad_account');
    const account = store.add<AdAccount>({
      kind: 'ad_account',
      id: `act_${accountId}`,
      accountId,
      businessId: owner.id,
      name: params.name,
      currency: params.currency,
      timezoneId: params.timezone_id,
      endAdvertiser: params.end_advertiser,
      mediaAgency: params.media_agency,
      partner: params.partner,
      fundingId: params.funding_id,
      invoice: params.invoice ?? false,
      accountStatus: active,
      disableReason: 0,
      spendCapMinor: 0n,
      amountSpentMinor: 0n,
      spendCapChangesMs: [],
      dsaBeneficiary: '',
      dsaPayor: '',
      createdAtMs: nowMs,
      assigned: new Map(),
      pixelIds: [],
      instagramIds: [],
      subscribedAppIds: new Set(),
    });
    owner.adAccountIds.push(account.id);
    return {
      id: account.id,
      account_id: accountId,
      business_id: owner.id,
      end_advertiser_id: account.endAdvertiser,
      media_agency_id: account.mediaAgency,
      partner_id: account.partner,
    };
  },
});

const listAdAccounts = endpoint({
  operation: 'list_owned_ad_accounts',
  method: 'GET',
  on: 'business',
  edge: 'owned_ad_accounts',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management', 'business_management'],
  business: 'own',
  parameters: { search_query: optional(text), include_shared_ad_accounts: optional(bool) },
  handle({ node, params, context: { store } }) {
    const wanted = params.search_query?.toLowerCase();
    const accounts = store
      .many('ad_account', node.adAccountIds)
      .filter(
        ({ name, accountId }) => wanted === undefined || name.toLowerCase().includes(wanted) || accountId === wanted,
      );
    return rows(adAccount, accounts);
  },
});

const readAdAccount = endpoint({
  operation: 'read_ad_account',
  method: 'GET',
  on: 'ad_account',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read', 'ads_management'],
  parameters: {},
  handle: ({ node }) => row(adAccount, node),
});

const updateAdAccount = endpoint({
  operation: 'update_ad_account',
  method: 'POST',
  on: 'ad_account',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management'],
  tasks: ['MANAGE'],
  parameters: {
    name: optional(text),
    spend_cap: optional(decimal),
    spend_cap_action: optional(spendCapAction),
    end_advertiser: optional(advertiser('string')),
    media_agency: optional(advertiser('string')),
    partner: optional(advertiser('string')),
    default_dsa_beneficiary: optional(text),
    default_dsa_payor: optional(text),
    timezone_id: optional(unsigned),
    currency: optional(oneOf(adAccountCurrencies)),
    agency_client_declaration: optional(map),
    attribution_spec: optional(listOf(json)),
    business_info: optional(map),
    custom_audience_info: optional(map),
    existing_customers: optional(listOf(text)),
    is_ba_skip_delayed_eligible: optional(bool),
    is_notifications_enabled: optional(bool),
    tos_accepted: optional(map),
  },
  handle({ node, params, nowMs, context: { switches } }) {
    const hasRealAdvertiser = /^\d+$/.test(node.endAdvertiser);
    if (params.end_advertiser !== undefined && hasRealAdvertiser && params.end_advertiser !== node.endAdvertiser) {
      throw invalidParameter('end_advertiser', 'cannot be changed once it is set.');
    }
    if (params.currency !== undefined && params.currency !== node.currency) {
      throw invalidParameter('currency', 'of an ad account cannot be changed.');
    }
    if ((params.default_dsa_beneficiary === undefined) !== (params.default_dsa_payor === undefined)) {
      throw invalidParameter('default_dsa_beneficiary', 'and default_dsa_payor must be given together.');
    }
    if (params.spend_cap !== undefined || params.spend_cap_action !== undefined) {
      if (params.spend_cap !== undefined) checkCapFloor(node, toMinor(params.spend_cap, node.currency), switches);
      const capMinor = params.spend_cap === undefined ? 0n : toMinor(params.spend_cap, node.currency);
      if (switches.spend_cap_above_spent && capMinor > 0n && capMinor * 10n < node.amountSpentMinor * 11n) {
        throw invalidParameter('spend_cap', 'must be at least a tenth above the amount spent.');
      }
      countCapChange(node, nowMs);
      if (params.spend_cap !== undefined) node.spendCapMinor = toMinor(params.spend_cap, node.currency);
      if (params.spend_cap_action === 'reset') node.amountSpentMinor = 0n;
      if (params.spend_cap_action === 'delete') node.spendCapMinor = 0n;
    }
    node.name = params.name ?? node.name;
    node.endAdvertiser = params.end_advertiser ?? node.endAdvertiser;
    node.mediaAgency = params.media_agency ?? node.mediaAgency;
    node.partner = params.partner ?? node.partner;
    node.timezoneId = params.timezone_id ?? node.timezoneId;
    node.dsaBeneficiary = params.default_dsa_beneficiary ?? node.dsaBeneficiary;
    node.dsaPayor = params.default_dsa_payor ?? node.dsaPayor;
    return { success: true };
  },
});

/** A cap of zero takes the cap away, so no floor holds for it. */
function checkCapFloor(account: AdAccount, capMinor: bigint, switches: Switches): void {
  const spent = account.amountSpentMinor;
  const floor =
    switches.spend_cap_floor === 'spent' ? spent : switches.spend_cap_floor === 'off' ? 0n : (spent * 11n) / 10n;
  if (capMinor !== 0n && capMinor < floor) {
    throw invalidParameter('spend_cap', 'must be above the amount that is already spent.');
  }
}

function countCapChange(account: AdAccount, nowMs: number): void {
  const recent = account.spendCapChangesMs.filter((at) => nowMs - at < secondsPerDay * 1000);
  if (recent.length >= capChangesPerDay) {
    throw new GraphError({
      code: 17,
      subcode: 1885172,
      message: '(#17) User request limit reached',
      userTitle: 'Spending limit changed too often',
      userMessage: 'You can change the spending limit of an ad account ten times a day.',
    });
  }
  account.spendCapChangesMs = [...recent, nowMs];
}

export const adAccountEndpoints = [createAdAccount, listAdAccounts, readAdAccount, updateAdAccount];
