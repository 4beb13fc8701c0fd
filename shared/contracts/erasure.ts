/**
 * What becomes of each document when its tenant is erased. The table has a row for every path builder, so a collection
 * that is added cannot be forgotten: without its row the compiler stops.
 */
import { collections, paths } from './documents.ts';
import { secretName } from '../domain/naming.ts';

type PathName = keyof typeof paths;

export type ErasureRule =
  /** One document under the tenant's own id (or the ids made of it). */
  | { readonly kind: 'by-id'; readonly paths: (tenantId: string) => readonly string[] }
  /** Every document of a collection whose `tenantId` it is. `below` names subcollections that go with it. */
  | { readonly kind: 'by-tenant-id'; readonly collection: string; readonly below?: readonly string[] }
  /** Below `tenants/{id}`: erased with everything below it, level by level. */
  | { readonly kind: 'below-tenant'; readonly levels: readonly string[] }
  /** Particular to this one; `tenant-erasure.ts` says how. */
  | { readonly kind: 'by-hand'; readonly how: string }
  | { readonly kind: 'kept'; readonly why: string };

const secretsOf = (tenantId: string): string[] => [
  secretName.userToken(tenantId),
  secretName.systemToken(tenantId),
  secretName.relayKey(tenantId),
];
const byTenantId = (collection: string, below: readonly string[] = []) =>
  ({ kind: 'by-tenant-id', collection, below }) as const;

export const erasureRules = {
  tenant: { kind: 'by-id', paths: (tenantId) => [paths.tenant(tenantId)] },
  run: { kind: 'below-tenant', levels: ['runs'] },
  steps: { kind: 'below-tenant', levels: ['runs', 'steps'] },
  step: { kind: 'below-tenant', levels: ['runs', 'steps'] },
  issues: { kind: 'below-tenant', levels: ['issues'] },
  issue: { kind: 'below-tenant', levels: ['issues'] },
  deletionRequest: { kind: 'kept', why: 'a code and two instants, of a person nobody can tell' },
  alerts: { kind: 'below-tenant', levels: ['alerts'] },
  alert: { kind: 'below-tenant', levels: ['alerts'] },
  matchQuality: { kind: 'by-id', paths: (tenantId) => [paths.matchQuality(tenantId)] },
  drift: { kind: 'by-id', paths: (tenantId) => [paths.drift(tenantId)] },
  matchQualityDays: { kind: 'below-tenant', levels: ['matchQualityDays'] },
  matchQualityDay: { kind: 'below-tenant', levels: ['matchQualityDays'] },
  matchQualityModel: { kind: 'kept', why: 'of no tenant' },
  catalog: { kind: 'below-tenant', levels: ['catalog'] },
  catalogHealth: { kind: 'below-tenant', levels: ['catalog'] },
  productSets: { kind: 'below-tenant', levels: ['catalog'] },
  catalogItems: { kind: 'below-tenant', levels: ['catalogItems'] },
  catalogBatches: { kind: 'below-tenant', levels: ['catalogBatches'] },
  catalogBatch: { kind: 'below-tenant', levels: ['catalogBatches'] },
  catalogProblems: { kind: 'below-tenant', levels: ['catalogProblems'] },
  fallbackSlots: { kind: 'kept', why: 'the slug only: Meta goes on counting the ad account' },
  insightsRuns: { kind: 'below-tenant', levels: ['insightsRuns'] },
  insightsRun: { kind: 'below-tenant', levels: ['insightsRuns'] },
  collaborativeAccounts: { kind: 'below-tenant', levels: ['collaborativeAccounts'] },
  collaborativeAccount: { kind: 'below-tenant', levels: ['collaborativeAccounts'] },
  ga4State: { kind: 'below-tenant', levels: ['settings'] },
  reconciliations: { kind: 'below-tenant', levels: ['reconciliations'] },
  reconciliation: { kind: 'below-tenant', levels: ['reconciliations'] },
  scheduledJob: { kind: 'kept', why: 'of no tenant' },
  relayCounters: { kind: 'below-tenant', levels: ['relayCounters'] },
  audit: { kind: 'kept', why: 'the entries keep their hashes and lose who, what and why' },
  auditEntry: { kind: 'by-hand', how: 'loses its content and keeps its hashes' },
  auditHeads: { kind: 'kept', why: 'hashes only' },
  auditHead: { kind: 'kept', why: 'a hash only' },
  dataset: byTenantId(collections.datasets),
  relayKey: byTenantId(collections.relayKeys),
  connectState: byTenantId('connectStates'),
  outboxMessage: { kind: 'by-hand', how: 'messages of this tenant, but the one that runs the erasure' },
  deadLetter: byTenantId(collections.deadLetters),
  letterReplays: byTenantId('deadLetterReplays'),
  heldEvents: byTenantId(collections.heldEvents),
  upload: byTenantId('uploads', ['uploadProblems']),
  uploadProblems: byTenantId('uploads', ['uploadProblems']),
  replay: { kind: 'by-hand', how: 'loses the tenant, and goes when it was of this tenant only' },
  relayBreaker: { kind: 'kept', why: 'says that events still on their way are of nobody; holds the slug only' },
  token: { kind: 'by-id', paths: (tenantId) => [paths.token(tenantId)] },
  secretInUse: { kind: 'by-id', paths: (tenantId) => secretsOf(tenantId).map(paths.secretInUse) },
  teardown: { kind: 'by-hand', how: 'those of cancelled runs go, the offboarding itself stays as proof' },
  readiness: { kind: 'kept', why: 'of no tenant' },
  deliveryLedger: { kind: 'kept', why: 'digests that name nobody, gone with their TTL' },
} as const satisfies Record<PathName, ErasureRule>;
