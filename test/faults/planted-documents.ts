/** A document of a tenant under every path there is, each with words that must not outlive it. */
import { paths } from '../../shared/contracts/documents.ts';

export const canary = 'CANARY-7f3a';

type Planted = readonly [path: string, data: Record<string, unknown>];

/**
 * One row for each path builder, so that a new one cannot be forgotten here either. `null`: the onboarding itself leaves
 * such documents, or they are of no tenant.
 */
export function plantedFor(tenantId: string): Readonly<Record<keyof typeof paths, Planted | null>> {
  const at = '2026-11-20T10:00:00.000Z';
  const ofTenant = { tenantId, note: canary };
  const message = { eventId: 'e', topic: 'tenant-live', json: canary, createdAt: at };
  return {
    tenant: null,
    run: null,
    steps: null,
    step: null,
    audit: null,
    auditEntry: null,
    auditHeads: null,
    auditHead: null,
    readiness: null,
    teardown: null,
    token: null,
    secretInUse: null,
    scheduledJob: null,
    insightsRuns: null,
    insightsRun: [paths.insightsRun(tenantId, 'act_1'), ofTenant],
    collaborativeAccounts: null,
    collaborativeAccount: [paths.collaborativeAccount(tenantId, 'act_2'), ofTenant],
    ga4State: [paths.ga4State(tenantId), ofTenant],
    reconciliations: null,
    reconciliation: [paths.reconciliation(tenantId, '2026-W46'), ofTenant],
    fallbackSlots: null,
    deletionRequest: null,
    issues: null,
    issue: [paths.issue(tenantId, '1'), ofTenant],
    catalog: [paths.catalog(tenantId), ofTenant],
    catalogHealth: [paths.catalogHealth(tenantId), ofTenant],
    productSets: [paths.productSets(tenantId), ofTenant],
    catalogItems: [`${paths.catalogItems(tenantId)}/1`, ofTenant],
    catalogBatches: null,
    catalogBatch: [paths.catalogBatch(tenantId, 'sync', 1), ofTenant],
    catalogProblems: [`${paths.catalogProblems(tenantId)}/1`, ofTenant],
    matchQualityModel: null,
    matchQualityDays: null,
    matchQuality: [paths.matchQuality(tenantId), ofTenant],
    drift: [paths.drift(tenantId), ofTenant],
    matchQualityDay: [paths.matchQualityDay(tenantId, '2026-11-20'), ofTenant],
    deliveryLedger: null,
    relayBreaker: [
      paths.relayBreaker(tenantId),
      { tenantId, reason: 'token-dead', advice: canary, openedAt: at, probeAt: at },
    ],
    alerts: null,
    alert: [paths.alert(tenantId, 'catalog-feed-held'), ofTenant],
    relayCounters: [paths.relayCounters(tenantId, '2026-11-20T10', 'i1'), ofTenant],
    dataset: [paths.dataset('199'), ofTenant],
    relayKey: [paths.relayKey('key-of-tenant'), { ...ofTenant, revokedAt: null }],
    connectState: [paths.connectState('state'), ofTenant],
    outboxMessage: [paths.outboxMessage('left'), { ...message, source: `${paths.tenant(tenantId)}/runs/run-1` }],
    deadLetter: [paths.deadLetter('letter'), ofTenant],
    letterReplays: [paths.letterReplays('letter'), ofTenant],
    heldEvents: [paths.heldEvents('held'), ofTenant],
    upload: [paths.upload('upload'), ofTenant],
    uploadProblems: [`${paths.uploadProblems('upload')}/1`, ofTenant],
    replay: [paths.replay('replay'), { ...replayOf([tenantId], at), reason: canary }],
  };
}

export function replayOf(tenantIds: string[], at: string): Record<string, unknown> {
  return {
    replayId: 'replay',
    state: 'done',
    selection: { kind: 'ids', ids: [] },
    includeReplayed: false,
    ratePerSecond: 1,
    actor: 'ada',
    reason: 'test',
    tenantIds,
    planned: 0,
    traceparent: '',
    createdAt: at,
    finishedAt: at,
    outcomes: {},
    replayedBefore: 0,
    cursor: null,
    inHand: [],
    slice: 0,
    sliceAt: at,
    fence: 0,
    leaseUntil: null,
    expireAt: new Date('2027-01-01T00:00:00.000Z'),
  };
}
