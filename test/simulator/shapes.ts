import { settleBatches } from './items-batches.ts';
import type { SimulatorContext } from './context.ts';
import { graphTime, row, rows, type Row, type Shape } from './field-selection.ts';
import { knownFields } from './known-fields.ts';
import { itemsMatching } from './product-filter.ts';
import { minorDigitsOf } from './meta-enums.ts';
import type * as world from './world.ts';

/** How each object reads: defaults and values. Amounts read back in minor units, as text. */

const credit = (id: string, { store }: SimulatorContext) => row(extendedCredit, store.get('extended_credit', id));
const owner = (id: string, { store }: SimulatorContext) => row(business, store.get('business', id));

/** CurrencyAmount as Meta writes it. */
function currencyAmount(minor: bigint, currency: string): Record<string, string> {
  const digits = minorDigitsOf(currency);
  const padded = minor.toString().padStart(digits + 1, '0');
  const amount = digits === 0 ? padded : `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
  const hundredths = digits === 0 ? minor * 100n : minor;
  return {
    amount,
    currency,
    amount_in_hundredths: hundredths.toString(),
    offsetted_amount: minor.toString(),
  };
}

export const business: Shape<world.Business> = {
  name: 'Business',
  defaults: ['id', 'name'],
  empty: knownFields.Business,
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    vertical: ({ vertical }) => vertical,
    timezone_id: ({ timezoneId }) => timezoneId,
    two_factor_type: ({ twoFactorType }) => twoFactorType,
    created_time: ({ createdAtMs }) => graphTime(createdAtMs),
    verification_status: ({ isVerified }) => (isVerified ? 'verified' : 'not_verified'),
    is_hidden: () => false,
    link: ({ id }) => `https://business.facebook.com/settings?business_id=${id}`,
    primary_page: ({ primaryPageId }, { store }) =>
      primaryPageId === undefined ? undefined : row(page, store.get('page', primaryPageId)),
  },
};

/** A child in the list of a parent's businesses, which also tells the relationship. */
export const ownedBusiness: Shape<world.Business> = {
  ...business,
  fields: { ...business.fields, relationship: () => 'OWNED' },
};

export const systemUser: Shape<world.SystemUser> = {
  name: 'SystemUser',
  defaults: ['id', 'name', 'role'],
  empty: knownFields.SystemUser,
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    role: ({ role }) => role,
    created_time: ({ createdAtMs }) => graphTime(createdAtMs),
  },
};

export const user: Shape<world.Person> = {
  name: 'User',
  defaults: ['id', 'name'],
  empty: knownFields.User,
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    first_name: ({ name }) => name.split(' ')[0],
    last_name: ({ name }) => name.split(' ').slice(1).join(' '),
  },
};

export const extendedCredit: Shape<world.ExtendedCredit> = {
  name: 'ExtendedCredit',
  defaults: ['id', 'legal_entity_name'],
  empty: knownFields.ExtendedCredit,
  fields: {
    id: ({ id }) => id,
    legal_entity_name: ({ legalEntityName }) => legalEntityName,
    owner_business: ({ ownerBusinessId }, context) => owner(ownerBusinessId, context),
    owner_business_name: ({ ownerBusinessId }, { store }) => store.get('business', ownerBusinessId).name,
    max_balance: ({ maxBalanceMinor, currency }) => currencyAmount(maxBalanceMinor, currency),
    credit_available: ({ maxBalanceMinor, currency }) => currencyAmount(maxBalanceMinor, currency),
    balance: ({ currency }) => currencyAmount(0n, currency),
    is_access_revoked: ({ isAccessRevoked }) => isAccessRevoked,
    receiving_credit_allocation_config: ({ receivedThrough }, { store }) =>
      receivedThrough === undefined
        ? undefined
        : row(creditAllocation, store.get('credit_allocation', receivedThrough)),
  },
};

export const creditAllocation: Shape<world.CreditAllocation> = {
  name: 'ExtendedCreditAllocationConfig',
  defaults: ['id'],
  empty: knownFields.ExtendedCreditAllocationConfig,
  fields: {
    id: ({ id }) => id,
    currency_amount: ({ amountMinor, creditId }, { store }) =>
      currencyAmount(amountMinor, store.get('extended_credit', creditId).currency),
    liability_type: ({ liabilityType }) => liabilityType,
    partition_type: ({ partitionType }) => partitionType,
    send_bill_to: ({ sendBillTo }) => sendBillTo,
    request_status: ({ requestStatus }) => requestStatus,
    owning_business: ({ creditId }, context) =>
      owner(context.store.get('extended_credit', creditId).ownerBusinessId, context),
    owning_credential: ({ creditId }, context) => credit(creditId, context),
    receiving_business: ({ receivingBusinessId }, context) => owner(receivingBusinessId, context),
    receiving_credential: ({ receivingCreditId }, context) => credit(receivingCreditId, context),
  },
};

export const adAccount: Shape<world.AdAccount> = {
  name: 'AdAccount',
  defaults: ['id', 'account_id'],
  empty: knownFields.AdAccount,
  fields: {
    id: ({ id }) => id,
    account_id: ({ accountId }) => accountId,
    name: ({ name }) => name,
    account_status: ({ accountStatus }) => accountStatus,
    disable_reason: ({ disableReason }) => disableReason,
    currency: ({ currency }) => currency,
    timezone_id: ({ timezoneId }) => timezoneId,
    timezone_name: ({ accountId }, { insights }) => insights.truths.get(accountId)?.plan.timeZone,
    spend_cap: ({ spendCapMinor }) => spendCapMinor.toString(),
    amount_spent: ({ amountSpentMinor }) => amountSpentMinor.toString(),
    balance: () => '0',
    end_advertiser: ({ endAdvertiser }) => endAdvertiser,
    media_agency: ({ mediaAgency }) => mediaAgency,
    partner: ({ partner }) => partner,
    funding_source: ({ fundingId }) => fundingId,
    funding_source_details: ({ fundingId }) => (fundingId === undefined ? undefined : { id: fundingId, type: 4 }),
    default_dsa_beneficiary: ({ dsaBeneficiary }) => dsaBeneficiary || undefined,
    default_dsa_payor: ({ dsaPayor }) => dsaPayor || undefined,
    created_time: ({ createdAtMs }) => graphTime(createdAtMs),
    owner: ({ businessId }) => businessId,
    business: ({ businessId }, context) => owner(businessId, context),
    owner_business: ({ businessId }, context) => owner(businessId, context),
    is_personal: () => 0,
  },
};

export const pixel: Shape<world.Pixel> = {
  name: 'AdsPixel',
  defaults: ['id'],
  empty: knownFields.AdsPixel,
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    code: ({ id }) =>
      `<!-- Meta Pixel Code (simulated) --><script>fbq('init', '${id}');fbq('track', 'PageView');</script>`,
    creation_time: ({ createdAtMs }) => graphTime(createdAtMs),
    last_fired_time: ({ lastFiredMs }) => (lastFiredMs === undefined ? undefined : graphTime(lastFiredMs)),
    is_consolidated_container: ({ isConsolidatedContainer }) => isConsolidatedContainer,
    is_created_by_business: () => true,
    is_unavailable: () => false,
    enable_automatic_matching: ({ enableAutomaticMatching }) => enableAutomaticMatching,
    automatic_matching_fields: ({ automaticMatchingFields }) => automaticMatchingFields,
    first_party_cookie_status: ({ firstPartyCookieStatus }) => firstPartyCookieStatus,
    data_use_setting: ({ dataUseSetting }) => dataUseSetting,
    owner_business: ({ businessId }, context) => owner(businessId, context),
    owner_ad_account: ({ adAccountId }, { store }) =>
      adAccountId === undefined ? undefined : row(adAccount, store.get('ad_account', adAccountId)),
  },
};

export const instagram: Shape<world.InstagramAccount> = {
  name: 'IGUser',
  defaults: ['id'],
  empty: knownFields.IGUser,
  fields: {
    id: ({ id }) => id,
    username: ({ username }) => username,
    name: ({ username }) => username,
    is_published: () => true,
    legacy_instagram_user_id: ({ id }) => id,
  },
};

export const page: Shape<world.Page> = {
  name: 'Page',
  defaults: ['id', 'name'],
  empty: knownFields.Page,
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    website: ({ website }) => website,
    category: ({ category }) => category,
    is_published: () => true,
    link: ({ id }) => `https://www.facebook.com/${id}`,
    owner_business: ({ ownerBusinessId }, context) =>
      ownerBusinessId === undefined ? undefined : owner(ownerBusinessId, context),
    business: ({ ownerBusinessId }, context) =>
      ownerBusinessId === undefined ? undefined : owner(ownerBusinessId, context),
    instagram_business_account: readInstagram,
    connected_instagram_account: readInstagram,
    instagram_accounts: ({ instagramId }, { store }) =>
      rows(instagram, instagramId === undefined ? [] : [store.get('instagram', instagramId)]),
  },
};

function readInstagram({ instagramId }: world.Page, { store }: SimulatorContext): Row | undefined {
  return instagramId === undefined ? undefined : row(instagram, store.get('instagram', instagramId));
}

export const catalog: Shape<world.Catalog> = {
  name: 'ProductCatalog',
  defaults: ['id', 'name'],
  empty: knownFields.ProductCatalog,
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    vertical: ({ vertical }) => vertical,
    product_count: (node, { clock }) => settleBatches(node, clock.nowMs()).items.size,
    feed_count: () => 0,
    is_catalog_segment: ({ parentCatalogId }) => parentCatalogId !== undefined,
    is_local_catalog: () => false,
    business: ({ businessId }, context) => owner(businessId, context),
    owner_business: ({ businessId }, context) => owner(businessId, context),
  },
};

export const domain: Shape<world.Domain> = {
  name: 'OwnedDomain',
  defaults: ['id', 'domain_name'],
  empty: knownFields.OwnedDomain,
  fields: {
    id: ({ id }) => id,
    domain_name: ({ domainName }) => domainName,
    status: ({ isVerified }, { switches }) => {
      const status = isVerified ? 'verified' : 'not_verified';
      return switches.domain_status_spelling === 'upper' ? status.toUpperCase() : status;
    },
    verification_code: ({ verificationCode }, { switches }) =>
      switches.domain_shows_code ? verificationCode : undefined,
    owner_business: ({ businessId }, context) => owner(businessId, context),
  },
};

export const productSet: Shape<world.ProductSet> = {
  name: 'ProductSet',
  defaults: ['id', 'name'],
  empty: knownFields.ProductSet,
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    retailer_id: ({ retailerId }) => retailerId,
    filter: ({ filter }) => JSON.stringify(filter),
    product_count: ({ catalogId, filter }, { store, clock }) =>
      itemsMatching(settleBatches(store.get('catalog', catalogId), clock.nowMs()), filter).length,
    product_catalog: ({ catalogId }, { store }) => row(catalog, store.get('catalog', catalogId)),
  },
};

/** A product as `GET …/products` shows it: names differ from those of a batch. */
export const productItem: Shape<world.CatalogItem> = {
  name: 'ProductItem',
  defaults: ['id', 'name', 'retailer_id'],
  empty: knownFields.ProductItem,
  fields: {
    id: ({ id }) => id,
    retailer_id: ({ data }) => data['id'],
    name: ({ data }) => data['title'],
    url: ({ data }) => data['link'],
    image_url: ({ data }) => data['image_link'],
    retailer_product_group_id: ({ data }) => data['item_group_id'],
    ...Object.fromEntries(
      ['description', 'availability', 'condition', 'price', 'sale_price', 'brand', 'gtin', 'color', 'size'].map(
        (name) => [name, ({ data }: world.CatalogItem) => data[name]],
      ),
    ),
    product_type: ({ data }) => data['product_type'],
    custom_label_0: ({ data }) => data['custom_label_0'],
    review_status: () => 'approved',
    visibility: () => 'published',
  },
};
