import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessToken } from './access-token.ts';
import * as adAccounts from './ad-accounts.ts';
import * as ads from './ads.ts';
import * as appSubscriptions from './app-subscriptions.ts';
import * as businesses from './businesses.ts';
import * as catalogs from './catalogs.ts';
import * as creditLines from './credit-lines.ts';
import * as domains from './domains.ts';
import { createGraphClient } from './graph-client.ts';
import type { GraphClient } from './graph-client.ts';
import * as instagram from './instagram.ts';
import * as pages from './pages.ts';
import * as pixels from './pixels.ts';
import * as systemUsers from './system-users.ts';
import * as users from './users.ts';

/** What the last request was, as `METHOD path params`, and what to answer with next. */
const wire = { sent: [] as string[], answer: {} as unknown };
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const url = new URL(request.url ?? '', 'http://graph');
    const params = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams;
    const shown = [...params].map(([name, value]) => `${name}=${value}`).join(' ');
    wire.sent.push(`${request.method} ${url.pathname.replace('/v25.0', '')} ${shown}`.trim());
    response.end(JSON.stringify(wire.answer));
  });
});
let client: GraphClient;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  client = createGraphClient({ baseUrl: `http://127.0.0.1:${port}`, now: () => 0 });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const asUser = () => client.as(new AccessToken('user', 'u'));
const asParent = () => client.as(new AccessToken('parent', 'p'));
const asApp = () => client.as(new AccessToken('app', '42|s'));
const asChild = () => client.as(new AccessToken('child', 'c'));

interface Example {
  readonly name: string;
  readonly call: () => Promise<unknown>;
  readonly sends: readonly string[];
  readonly answer: unknown;
  readonly gives: unknown;
}

const success = { success: true };
const listOf = (...data: unknown[]) => ({ data, paging: { cursors: { before: 'b', after: 'a' } } });
const assigned = { userId: '5' };

/** Golden examples: the exact request of each endpoint function, an answer of Meta's, and what is made of it. */
const examples: Example[] = [
  {
    name: 'createChildBusiness without a Page',
    call: () =>
      businesses.createChildBusiness(asUser(), {
        parentBusinessId: '1',
        name: 'Acme',
        vertical: 'RETAIL',
        childBusinessExternalId: 'kobi_acme_meta',
        timezoneId: 135,
      }),
    sends: [
      'POST /1/owned_businesses name=Acme vertical=RETAIL child_business_external_id=kobi_acme_meta timezone_id=135',
    ],
    answer: { id: '2' },
    gives: { id: '2' },
  },
  {
    name: 'findChildBusinessByExternalId',
    call: () =>
      businesses.findChildBusinessByExternalId(asParent(), { parentBusinessId: '1', childBusinessExternalId: 'e' }),
    sends: ['GET /1/owned_businesses limit=100 child_business_external_id=e fields=id,name'],
    answer: listOf({ id: '2', name: 'Acme', relationship: 'x' }),
    gives: { id: '2', name: 'Acme' },
  },
  {
    name: 'findChildBusinessesOfUser',
    call: () => businesses.findChildBusinessesOfUser(asParent(), { parentBusinessId: '1', clientUserId: '9' }),
    sends: ['GET /1/owned_businesses limit=100 client_user_id=9 fields=id,name'],
    answer: listOf(),
    gives: [],
  },
  {
    name: 'removeChildBusiness',
    call: () => businesses.removeChildBusiness(asParent(), { parentBusinessId: '1', childBusinessId: '2' }),
    sends: ['DELETE /1/owned_businesses client_id=2'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readBusiness',
    call: () => businesses.readBusiness(asParent(), '1'),
    sends: ['GET /1 fields=id,name,verification_status'],
    answer: { id: '1', name: 'Kobi', verification_status: 'verified' },
    gives: { id: '1', name: 'Kobi', verificationStatus: 'verified' },
  },
  {
    name: 'listSystemUsers',
    call: () => systemUsers.listSystemUsers(asChild(), '2'),
    sends: ['GET /2/system_users limit=100'],
    answer: listOf({ id: '5', name: 'kobi_acme_system_user', role: 'ADMIN' }),
    gives: [{ id: '5', name: 'kobi_acme_system_user', role: 'ADMIN' }],
  },
  {
    name: 'readExtendedCredits',
    call: () => creditLines.readExtendedCredits(asChild(), '2'),
    sends: ['GET /2/extendedcredits limit=100 fields=id,legal_entity_name,receiving_credit_allocation_config{id}'],
    answer: listOf({ id: '30', legal_entity_name: 'Kobi', receiving_credit_allocation_config: { id: '31' } }),
    gives: [{ id: '30', legalEntityName: 'Kobi', receivedThrough: '31' }],
  },
  {
    name: 'findCreditAllocation, which ignores the share of another business',
    call: () => creditLines.findCreditAllocation(asParent(), { extendedCreditId: '3', receivingBusinessId: '2' }),
    sends: [
      'GET /3/owning_credit_allocation_configs limit=100 receiving_business_id=2 fields=id,receiving_business{id},request_status',
    ],
    answer: listOf({ id: '32', receiving_business: { id: '99' } }, { id: '31', receiving_business: { id: '2' } }),
    gives: { id: '31', receivingBusinessId: '2' },
  },
  {
    name: 'shareCreditLine',
    call: () => creditLines.shareCreditLine(asParent(), { extendedCreditId: '3', receivingBusinessId: '2' }),
    sends: ['POST /3/owning_credit_allocation_configs receiving_business_id=2'],
    answer: { id: '31' },
    gives: { id: '31' },
  },
  {
    name: 'revokeCreditAllocation',
    call: () => creditLines.revokeCreditAllocation(asParent(), '31'),
    sends: ['DELETE /31'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'createAdAccount',
    call: () =>
      adAccounts.createAdAccount(asChild(), {
        businessId: '2',
        name: 'kobi_acme_meta',
        currency: 'TRY',
        timezoneId: 135,
        endAdvertiser: '6',
        fundingId: '30',
      }),
    sends: [
      'POST /2/adaccount name=kobi_acme_meta currency=TRY timezone_id=135 end_advertiser=6 media_agency=NONE partner=NONE funding_id=30',
    ],
    answer: { id: 'act_7', account_id: '7', business_id: '2', end_advertiser_id: '6' },
    gives: { id: 'act_7' },
  },
  {
    name: 'readAdAccount, money in minor units',
    call: () => adAccounts.readAdAccount(asChild(), '7'),
    sends: [
      'GET /act_7 fields=id,name,account_status,disable_reason,currency,timezone_id,spend_cap,amount_spent,funding_source',
    ],
    answer: {
      id: 'act_7',
      account_status: 1,
      currency: 'TRY',
      spend_cap: '1500000',
      amount_spent: '120',
      funding_source: '30',
    },
    gives: {
      id: 'act_7',
      accountStatus: 1,
      currency: 'TRY',
      spendCapMinor: 1_500_000,
      amountSpentMinor: 120,
      fundingSourceId: '30',
    },
  },
  {
    name: 'assignAdAccountUser',
    call: () => adAccounts.assignAdAccountUser(asChild(), { adAccountId: '7', ...assigned }),
    sends: ['POST /act_7/assigned_users user=5 tasks=["MANAGE","ADVERTISE","ANALYZE"]'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readAdAccountUsers',
    call: () => adAccounts.readAdAccountUsers(asChild(), { adAccountId: 'act_7', businessId: '2' }),
    sends: ['GET /act_7/assigned_users limit=100 business=2'],
    answer: listOf({ id: '5', name: 'x', tasks: ['ADVERTISE'] }),
    gives: [{ id: '5', name: 'x', tasks: ['ADVERTISE'] }],
  },
  {
    name: 'subscribeAdAccount',
    call: () => adAccounts.subscribeAdAccount(asChild(), { adAccountId: '7', appId: '42' }),
    sends: ['POST /act_7/subscribed_apps app_id=42'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readDeauthorizeUrl',
    call: () => appSubscriptions.readDeauthorizeUrl(asApp(), '42'),
    sends: ['GET /42 fields=deauth_callback_url'],
    answer: { id: '42', deauth_callback_url: 'https://kobi.example/deauthorize' },
    gives: 'https://kobi.example/deauthorize',
  },
  {
    name: 'readAppSubscriptions, with fields told by name and version or by name alone',
    call: () => appSubscriptions.readAppSubscriptions(asApp(), '42'),
    sends: ['GET /42/subscriptions limit=100'],
    answer: {
      data: [
        {
          object: 'ad_account',
          callback_url: 'https://kobi.example/meta-webhook/ads',
          active: true,
          fields: [{ name: 'effective_status', version: 'v25.0' }],
        },
        { object: 'user', callback_url: 'https://kobi.example/other', active: false, fields: ['photos'] },
      ],
    },
    gives: [
      {
        object: 'ad_account',
        callbackUrl: 'https://kobi.example/meta-webhook/ads',
        isActive: true,
        fields: ['effective_status'],
      },
      { object: 'user', callbackUrl: 'https://kobi.example/other', isActive: false, fields: ['photos'] },
    ],
  },
  {
    name: 'subscribeApp, answered with true as text as in the sample of Meta',
    call: () =>
      appSubscriptions.subscribeApp(asApp(), {
        appId: '42',
        object: 'ad_account',
        callbackUrl: 'https://kobi.example/ads',
        fields: ['effective_status', 'creative_fatigue'],
        verifyToken: 't',
      }),
    sends: [
      'POST /42/subscriptions object=ad_account callback_url=https://kobi.example/ads ' +
        'fields=effective_status,creative_fatigue include_values=true verify_token=t',
    ],
    answer: { success: 'true' },
    gives: undefined,
  },
  {
    name: 'readEffectiveStatus',
    call: () => ads.readEffectiveStatus(asChild(), '29'),
    sends: ['GET /29 fields=effective_status'],
    answer: { id: '29', effective_status: 'WITH_ISSUES' },
    gives: 'WITH_ISSUES',
  },
  {
    name: 'createPixel',
    call: () => pixels.createPixel(asChild(), { adAccountId: '7', name: 'kobi_acme_meta' }),
    sends: ['POST /act_7/adspixels name=kobi_acme_meta'],
    answer: { id: '8' },
    gives: { id: '8', existed: false },
  },
  {
    name: 'isConsolidatedContainer, no when Meta does not say',
    call: () => pixels.isConsolidatedContainer(asChild(), '8'),
    sends: ['GET /8 fields=is_consolidated_container'],
    answer: { id: '8' },
    gives: false,
  },
  {
    name: 'assignPixelUser',
    call: () => pixels.assignPixelUser(asChild(), { pixelId: '8', ...assigned }),
    sends: ['POST /8/assigned_users user=5 tasks=["ADVERTISE","ANALYZE","EDIT","UPLOAD"]'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'sharePixelWithBusiness',
    call: () => pixels.sharePixelWithBusiness(asChild(), { pixelId: '8', businessId: '2' }),
    sends: ['POST /8/agencies business=2 permitted_tasks=["ADVERTISE","ANALYZE","EDIT","UPLOAD"]'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readPixelAgencies',
    call: () => pixels.readPixelAgencies(asChild(), '8'),
    sends: ['GET /8/agencies limit=100 fields=id'],
    answer: listOf({ id: '2' }),
    gives: ['2'],
  },
  {
    name: 'sharePixelWithAdAccount',
    call: () => pixels.sharePixelWithAdAccount(asChild(), { pixelId: '8', businessId: '2', adAccountId: 'act_7' }),
    sends: ['POST /8/shared_accounts account_id=7 business=2'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readPixelAccounts',
    call: () => pixels.readPixelAccounts(asChild(), { pixelId: '8', businessId: '2' }),
    sends: ['GET /8/shared_accounts limit=100 business=2 fields=id'],
    answer: listOf({ id: 'act_7' }),
    gives: ['act_7'],
  },
  {
    name: 'readPage',
    call: () => pages.readPage(asChild(), '6'),
    sends: ['GET /6 fields=id,name,instagram_business_account{id,username}'],
    answer: { id: '6', name: 'Acme', instagram_business_account: { id: '60', username: 'acme' } },
    gives: { id: '6', name: 'Acme', instagram: { id: '60', username: 'acme' } },
  },
  {
    name: 'readPromotablePages',
    call: () => pages.readPromotablePages(asChild(), '7'),
    sends: ['GET /act_7/promote_pages limit=100 fields=id,name'],
    answer: listOf({ id: '6', name: 'Acme' }),
    gives: [{ id: '6', name: 'Acme' }],
  },
  {
    name: 'sharePageWithAgency',
    call: () => pages.sharePageWithAgency(asUser(), { pageId: '6', agencyBusinessId: '2' }),
    sends: ['POST /6/agencies business=2 permitted_tasks=["ADVERTISE","ANALYZE"]'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'requestClientPage that must be approved',
    call: () => pages.requestClientPage(asChild(), { businessId: '2', pageId: '6' }),
    sends: ['POST /2/client_pages page_id=6 permitted_tasks=["ADVERTISE","ANALYZE"]'],
    answer: { access_status: 'PENDING' },
    gives: { confirmed: false },
  },
  {
    name: 'readPendingClientPages',
    call: () => pages.readPendingClientPages(asChild(), '2'),
    sends: ['GET /2/pending_client_pages limit=100 fields=id,page{id}'],
    answer: listOf({ id: '61', page: { id: '6' } }),
    gives: ['6'],
  },
  {
    name: 'removePage',
    call: () => pages.removePage(asChild(), { businessId: '2', pageId: '6' }),
    sends: ['DELETE /2/pages page_id=6'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'assignPageUser',
    call: () => pages.assignPageUser(asChild(), { pageId: '6', ...assigned }),
    sends: ['POST /6/assigned_users user=5 tasks=["ADVERTISE","ANALYZE"]'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'authorizeAdAccount',
    call: () =>
      instagram.authorizeAdAccount(asChild(), { instagramUserId: '60', businessId: '2', adAccountId: 'act_7' }),
    sends: ['POST /60/authorized_adaccounts business=2 account_id=7'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readAuthorizedAdAccounts',
    call: () => instagram.readAuthorizedAdAccounts(asChild(), { instagramUserId: '60', businessId: '2' }),
    sends: ['GET /60/authorized_adaccounts limit=100 business=2 fields=id'],
    answer: listOf({ id: 'act_7' }),
    gives: ['act_7'],
  },
  {
    name: 'readConnectedInstagramAccounts',
    call: () => instagram.readConnectedInstagramAccounts(asChild(), '7'),
    sends: ['GET /act_7/connected_instagram_accounts limit=100 fields=id,username'],
    answer: listOf({ id: '60', username: 'acme' }),
    gives: [{ id: '60', username: 'acme' }],
  },
  {
    name: 'createCatalog',
    call: () => catalogs.createCatalog(asChild(), { businessId: '2', name: 'kobi_acme_meta' }),
    sends: ['POST /2/owned_product_catalogs name=kobi_acme_meta vertical=commerce'],
    answer: { id: '10' },
    gives: { id: '10' },
  },
  {
    name: 'findCatalogByName',
    call: () => catalogs.findCatalogByName(asChild(), { businessId: '2', name: 'kobi_acme_meta' }),
    sends: ['GET /2/owned_product_catalogs limit=100 fields=id,name'],
    answer: listOf({ id: '9', name: 'kobi_acme_meta_old' }, { id: '10', name: 'kobi_acme_meta' }),
    gives: { id: '10' },
  },
  {
    name: 'connectEventSources',
    call: () => catalogs.connectEventSources(asChild(), { catalogId: '10', pixelIds: ['8'] }),
    sends: ['POST /10/external_event_sources external_event_sources=["8"]'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readEventSources',
    call: () => catalogs.readEventSources(asChild(), '10'),
    sends: ['GET /10/external_event_sources limit=100 fields=id,source_type'],
    answer: listOf({ id: '8', source_type: 'PIXEL' }),
    gives: [{ id: '8', sourceType: 'PIXEL' }],
  },
  {
    name: 'assignCatalogUser',
    call: () => catalogs.assignCatalogUser(asChild(), { catalogId: '10', ...assigned }),
    sends: ['POST /10/assigned_users user=5 tasks=["MANAGE","ADVERTISE"]'],
    answer: success,
    gives: undefined,
  },
  {
    name: 'readOwnedDomains',
    call: () => domains.readOwnedDomains(asChild(), '2'),
    sends: ['GET /2/owned_domains limit=100 fields=id,domain_name,status,verification_code'],
    answer: listOf({ id: '70', domain_name: 'acme.example', status: 'not_verified', verification_code: 'abc' }),
    gives: [{ id: '70', domainName: 'acme.example', status: 'not_verified', verificationCode: 'abc' }],
  },
  {
    name: 'readMyPages',
    call: () => users.readMyPages(asUser()),
    sends: ['GET /me/accounts limit=100 fields=id,name,tasks,instagram_business_account{id,username}'],
    answer: listOf({ id: '6', name: 'Acme', tasks: ['ADVERTISE', 'MANAGE'] }, { id: '66' }),
    gives: [
      { id: '6', name: 'Acme', tasks: ['ADVERTISE', 'MANAGE'] },
      { id: '66', name: '', tasks: [] },
    ],
  },
  {
    name: 'readMyPermissions',
    call: () => users.readMyPermissions(asUser()),
    sends: ['GET /me/permissions limit=100'],
    answer: listOf({ permission: 'ads_read', status: 'declined' }),
    gives: [{ permission: 'ads_read', status: 'declined' }],
  },
  {
    name: 'revokeMyPermissions',
    call: () => users.revokeMyPermissions(asUser()),
    sends: ['DELETE /me/permissions'],
    answer: success,
    gives: undefined,
  },
];

describe('each endpoint sends exactly its request and reads its answer', () => {
  test.each(examples)('$name', async ({ call, sends, answer, gives }) => {
    wire.sent = [];
    wire.answer = answer;
    expect(await call()).toEqual(gives);
    expect(wire.sent).toEqual(sends);
  });

  test('mintChildToken returns a token that shows itself to nobody', async () => {
    wire.sent = [];
    wire.answer = { access_token: 'EAAminted' };
    const token = await systemUsers.mintChildToken(asParent(), {
      childBusinessId: '2',
      appId: '42',
      scopes: ['ads_management', 'business_management'],
      systemUserName: 'kobi_acme_system_user',
    });
    expect(wire.sent).toEqual([
      'POST /2/access_token app_id=42 scope=ads_management,business_management system_user_name=kobi_acme_system_user',
    ]);
    expect(String(token)).toBe('[child token]');
    expect(token.reveal()).toBe('EAAminted');
  });
});
