import type { InsightsQuery } from './insights/query.ts';
import type { RunOutcome } from './insights/report-runs.ts';

/** What exists in the simulated world. Relations are kept by id, with an index on both sides where a call needs one. */

export interface Person {
  kind: 'user';
  id: string;
  name: string;
  createdAtMs: number;
  /** Page id → tasks the person holds there; MANAGE is Page admin. */
  pageTasks: Map<string, string[]>;
  /** Child businesses created with this person's token. */
  businessIds: string[];
  /** Permission → state for the simulated app. */
  permissions: Map<string, 'granted' | 'declined' | 'expired'>;
}

/** Kobi's app at Meta; what its owner set is in the simulator's context. */
export interface Application {
  kind: 'application';
  id: string;
  name: string;
  createdAtMs: number;
}

export interface Page {
  kind: 'page';
  id: string;
  name: string;
  website: string;
  category: string;
  createdAtMs: number;
  instagramId: string | undefined;
  ownerBusinessId: string | undefined;
  /** Business id → tasks granted to it by the Page's side. */
  agencies: Map<string, string[]>;
  assigned: Map<string, string[]>;
}

export interface InstagramAccount {
  kind: 'instagram';
  id: string;
  username: string;
  createdAtMs: number;
  pageId: string;
  /** Ad account id (digits) → business through which it was authorized. */
  authorizedAdAccounts: Map<string, string>;
}

export interface Business {
  kind: 'business';
  id: string;
  name: string;
  vertical: string;
  timezoneId: number;
  createdAtMs: number;
  parentId: string | undefined;
  externalId: string | undefined;
  /** The person whose token created this child. */
  clientUserId: string | undefined;
  primaryPageId: string | undefined;
  twoFactorType: string;
  /** Business verification; the parent starts with it. */
  isVerified: boolean;
  childIds: string[];
  systemUserIds: string[];
  creditIds: string[];
  adAccountIds: string[];
  pixelIds: string[];
  catalogIds: string[];
  domainIds: string[];
  /** Pages shared with this business, oldest first. */
  clientPageIds: Set<string>;
  pendingPages: Map<string, { id: string; tasks: string[]; createdAtMs: number }>;
}

export interface SystemUser {
  kind: 'system_user';
  id: string;
  name: string;
  role: string;
  businessId: string;
  createdAtMs: number;
}

export interface ExtendedCredit {
  kind: 'extended_credit';
  id: string;
  ownerBusinessId: string;
  legalEntityName: string;
  currency: string;
  maxBalanceMinor: bigint;
  createdAtMs: number;
  /** The allocation through which a child received this credit; absent on a credit the business owns. */
  receivedThrough: string | undefined;
  isAccessRevoked: boolean;
  /** Receiving business id → its allocation configs, oldest first. */
  allocationsByReceiver: Map<string, string[]>;
}

export interface CreditAllocation {
  kind: 'credit_allocation';
  id: string;
  creditId: string;
  receivingBusinessId: string;
  receivingCreditId: string;
  amountMinor: bigint;
  liabilityType: string;
  partitionType: string;
  sendBillTo: string;
  requestStatus: string;
  createdAtMs: number;
}

export interface AdAccount {
  kind: 'ad_account';
  /** `act_` + digits. */
  id: string;
  accountId: string;
  businessId: string;
  name: string;
  currency: string;
  timezoneId: number;
  endAdvertiser: string;
  mediaAgency: string;
  partner: string;
  fundingId: string | undefined;
  invoice: boolean;
  accountStatus: number;
  disableReason: number;
  spendCapMinor: bigint;
  amountSpentMinor: bigint;
  /** Times of the last spend-cap changes, for the limit of ten a day. */
  spendCapChangesMs: number[];
  dsaBeneficiary: string;
  dsaPayor: string;
  createdAtMs: number;
  assigned: Map<string, string[]>;
  pixelIds: string[];
  instagramIds: string[];
  /** Apps that receive this account's webhooks. */
  subscribedAppIds: Set<string>;
}

export interface Pixel {
  kind: 'pixel';
  id: string;
  name: string;
  businessId: string;
  adAccountId: string | undefined;
  isConsolidatedContainer: boolean;
  createdAtMs: number;
  lastFiredMs: number | undefined;
  enableAutomaticMatching: boolean;
  automaticMatchingFields: string[];
  firstPartyCookieStatus: string;
  dataUseSetting: string;
  serverEventsBusinessIds: string[];
  assigned: Map<string, string[]>;
  /** Business id → tasks, for businesses the pixel is shared with. */
  agencies: Map<string, string[]>;
  /** Ad account id (digits) → business, for accounts the pixel is shared with. */
  sharedAccounts: Map<string, string>;
}

export interface Catalog {
  kind: 'catalog';
  id: string;
  name: string;
  businessId: string;
  vertical: string;
  parentCatalogId: string | undefined;
  createdAtMs: number;
  assigned: Map<string, string[]>;
  eventSourceIds: Set<string>;
  /** Retailer id → the product as it was last accepted. */
  items: Map<string, CatalogItem>;
  /** Handle → what became of the batch, oldest first. */
  batches: Map<string, ItemsBatch>;
  setIds: string[];
  plans: CatalogPlans;
}

export interface CatalogItem {
  /** Meta's own id, not the shop's. */
  id: string;
  /** `data` of the request that wrote it last; `id` in it is the retailer's. */
  data: Readonly<Record<string, unknown>>;
  createdAtMs: number;
}

export interface ItemsBatch {
  handle: string;
  /** Requests it came with, those named at once as invalid left out. */
  size: number;
  sentAtMs: number;
  /** When its requests take effect. */
  finishesAtMs: number;
  /** Requests not carried out yet; none once it has finished. */
  requests: { method: string; data: Readonly<Record<string, unknown>>; line: number }[];
  isFinished: boolean;
  errors: { line: number; id: string; message: string }[];
  warnings: { line: number; id: string; message: string }[];
}

/** What a test wants Meta to do with a catalog beyond its own rules. */
export interface CatalogPlans {
  /** So many calls of items_batch answer 200 without a handle. */
  emptyHandles: number;
  /** Retailer id → why Meta refuses it. */
  rejections: Map<string, string>;
  /** Batches never finish. */
  stuck: boolean;
  /** Batches that end with status `error`. */
  failingBatches: number;
  diagnostics: Record<string, unknown>[];
  /** Rows of event_stats beside those that follow from the events. */
  eventStats: Record<string, unknown>[];
}

export interface ProductSet {
  kind: 'product_set';
  id: string;
  catalogId: string;
  businessId: string;
  name: string;
  retailerId: string | undefined;
  filter: unknown;
  createdAtMs: number;
}

export interface Domain {
  kind: 'domain';
  id: string;
  businessId: string;
  domainName: string;
  verificationCode: string;
  createdAtMs: number;
  isVerified: boolean;
}

export interface Campaign {
  kind: 'campaign';
  id: string;
  accountId: string;
  businessId: string;
  name: string;
  objective: string;
  status: string;
  createdAtMs: number;
}

/** A report that was asked for; its rows are made when it is read, as Meta knew them when it was done. */
export interface ReportRun {
  kind: 'report_run';
  id: string;
  /** `act_` + digits. */
  accountId: string;
  businessId: string;
  query: InsightsQuery;
  outcome: RunOutcome;
  createdAtMs: number;
}

export interface Nodes {
  application: Application;
  user: Person;
  page: Page;
  instagram: InstagramAccount;
  business: Business;
  system_user: SystemUser;
  extended_credit: ExtendedCredit;
  credit_allocation: CreditAllocation;
  ad_account: AdAccount;
  pixel: Pixel;
  catalog: Catalog;
  product_set: ProductSet;
  domain: Domain;
  campaign: Campaign;
  report_run: ReportRun;
}

export type NodeKind = keyof Nodes;
export type GraphNode = Nodes[NodeKind];
