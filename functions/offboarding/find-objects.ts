import type { Run, StepRecord } from '../../shared/contracts/documents.ts';
import type { Leftover, TeardownObjects } from '../../shared/contracts/teardown-documents.ts';
import { metaObjectName } from '../../shared/domain/naming.ts';
import type { RunFacts } from '../../shared/gcp/teardown-store.ts';
import { adAccountNamed, listOwnedAdAccounts } from '../../shared/meta/ad-accounts.ts';
import { findChildBusinessByExternalId } from '../../shared/meta/businesses.ts';
import { findCreditAllocation } from '../../shared/meta/credit-lines.ts';
import { unknownOutcomeGraceMs } from '../../shared/runtime/graph-outcome.ts';
import { RetryLater } from '../../shared/runtime/outcomes.ts';
import type { TeardownServices } from './services.ts';

/**
 * What there is of a tenant at Meta: what its runs recorded, and what they may have made without hearing so, looked for
 * by the same keys the steps use.
 *
 * @throws RetryLater while a step still waits for an answer, or Meta's lists may not show yet what it made
 */
export async function findObjects(
  tenantId: string,
  facts: RunFacts,
  services: TeardownServices,
): Promise<TeardownObjects> {
  const { credentials, graph, kobi, now, systemTokens } = services;
  const steps = facts.runs.flatMap((run) => run.steps);
  waitForAnswers(steps, now());
  const name = metaObjectName(tenantId);
  const asParent = graph.as(await credentials.parent());

  const madeChild = wasTried(steps, 'create-child-business', 'child-business');
  const childBusinessId =
    resultOf(steps, 'child-business', 'childBusinessId') ??
    (madeChild
      ? (
          await findChildBusinessByExternalId(asParent, {
            parentBusinessId: kobi.parentBusinessId,
            childBusinessExternalId: name,
          })
        )?.id
      : undefined) ??
    null;

  const { extendedCreditId } = kobi;
  const allocation =
    childBusinessId === null
      ? undefined
      : await findCreditAllocation(asParent, { extendedCreditId, receivingBusinessId: childBusinessId });

  const adAccounts: TeardownObjects['adAccounts'] = [];
  for (const { run, steps: ofRun } of facts.runs) {
    const operator = operatorOf(run);
    const recorded = resultOf(ofRun, 'ad-account', 'adAccountId');
    if (recorded !== undefined) adAccounts.push({ adAccountId: recorded, operator });
    else if (wasTried(ofRun, 'create-ad-account', 'ad-account')) {
      const token = operator === 'child' ? (await systemTokens.inUse(tenantId)).token : undefined;
      const businessId = operator === 'child' ? childBusinessId : kobi.parentBusinessId;
      const acting = token ?? (operator === 'fallback' ? await credentials.operator(tenantId, 'fallback') : undefined);
      if (acting === undefined || businessId === null) continue;
      const found = adAccountNamed(await listOwnedAdAccounts(graph.as(acting), businessId), name);
      if (found !== undefined) adAccounts.push({ adAccountId: found.id, operator });
    }
  }
  return {
    childBusinessId,
    creditAllocationConfigId: allocation?.id ?? null,
    adAccounts: [...new Map(adAccounts.map((account) => [account.adAccountId, account])).values()],
    datasetIds: resultsOf(steps, 'pixel', 'datasetId'),
    catalogIds: resultsOf(steps, 'catalog', 'catalogId'),
    parentPageIds: pagesOfParent(facts),
    currency: facts.tenant?.currency ?? 'USD',
  };
}

/** What no call of Meta's can take away, whatever comes after. */
export function permanentOf(objects: TeardownObjects): Leftover[] {
  return [
    ...objects.adAccounts.map(({ adAccountId }) => ({
      object: 'ad account',
      id: adAccountId,
      why: 'Meta has no call that deletes an ad account.',
      what: 'Nothing: its campaigns are paused and its spend is capped at the least there is.',
    })),
    ...objects.datasetIds.map((id) => ({
      object: 'dataset',
      id,
      why: 'Meta has no call that deletes a dataset.',
      what: 'Nothing: no event reaches it any more.',
    })),
    ...objects.catalogIds.map((id) => ({
      object: 'catalog',
      id,
      why: 'A catalog is deleted by hand, because sets of other businesses may use it.',
      what: 'Delete it in Commerce Manager if nobody uses it.',
    })),
  ];
}

function operatorOf({ path }: Pick<Run, 'path'>): 'child' | 'fallback' {
  return path === 'fallback' ? 'fallback' : 'child';
}

/** The Pages of runs on the fallback path: those of other runs are the child business's. */
function pagesOfParent({ runs, tenant }: RunFacts): string[] {
  const ofParent = runs.filter(({ run }) => operatorOf(run) === 'fallback');
  if (ofParent.length === 0) return [];
  const chosen = ofParent.flatMap(({ steps }) => steps.map(({ products }) => products?.['pageId']));
  return [...new Set([...chosen, tenant?.connection?.pageId].filter((id) => typeof id === 'string'))];
}

function waitForAnswers(steps: readonly StepRecord[], now: Date): void {
  const nowMs = now.getTime();
  const untilMs = steps.flatMap(({ effects, lease, state }) => [
    state === 'running' && lease !== null ? Date.parse(lease.until) : 0,
    ...Object.values(effects).map((effect) =>
      effect.state === 'pending' ? Date.parse(effect.markedAt) + unknownOutcomeGraceMs : 0,
    ),
  ]);
  const afterMs = Math.max(0, ...untilMs) - nowMs;
  if (afterMs > 0) {
    throw new RetryLater('a step may still hear from Meta, or Meta may not show yet what it made', {
      afterMs,
      burnsAttempt: false,
    });
  }
}

/** Whether a step came as far as to send, or may have without a mark having been kept. */
function wasTried(steps: readonly StepRecord[], step: StepRecord['step'], effect: string): boolean {
  return steps.some((record) => record.step === step && (record.attempt > 0 || record.effects[effect] !== undefined));
}

function resultOf(steps: readonly StepRecord[], effect: string, field: string): string | undefined {
  return resultsOf(steps, effect, field)[0];
}

function resultsOf(steps: readonly StepRecord[], effect: string, field: string): string[] {
  const values = steps.map(({ effects }) => effects[effect]?.result?.[field]);
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}
