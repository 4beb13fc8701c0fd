import * as v from 'valibot';
import { toWholeUnits } from '../../../shared/domain/money.ts';
import type { OperatorKind } from '../../../shared/domain/provisioning-path.ts';
import { readAdAccount, readSpendCapMinor, setSpendCap } from '../../../shared/meta/ad-accounts.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphAs } from '../../../shared/meta/graph-client.ts';
import { Failed, Waiting } from '../../../shared/runtime/outcomes.ts';
import type { StepContext } from '../../../shared/runtime/step-function.ts';

const notedCap = v.object({ previousMinor: v.optional(v.nullable(v.number())) });

const dayMs = 24 * 60 * 60 * 1000;

export interface Cap {
  readonly adAccountId: string;
  /** In minor units. */
  readonly capMinor: number;
  readonly currency: string;
}

/**
 * Caps what the account may spend from now on: once, read back, because Meta takes whole units and returns minor units.
 * Where the cap is right already nothing is written, since ten changes a day are all Meta allows (17/1885172: the change
 * waits for tomorrow). The effect keeps what the cap was before.
 *
 * @throws Waiting on kobi where Meta takes no cap this low, because more is spent already; the old one stays in force
 */
export async function capSpend(cap: Cap, context: CapContext, graph: GraphAs<OperatorKind>): Promise<void> {
  try {
    await setOnce(cap, context.ensure, graph);
  } catch (error) {
    throw (await refusedBelowSpent(error, cap, context.tenant.tenantId, graph)) ?? error;
  }
}

type CapContext = Pick<StepContext<'create-ad-account'>, 'ensure' | 'tenant'>;

async function setOnce(cap: Cap, ensure: CapContext['ensure'], graph: GraphAs<OperatorKind>): Promise<void> {
  const { adAccountId, capMinor } = cap;
  const read = (): Promise<number | undefined> => readSpendCapMinor(graph, adAccountId);
  let previousMinor: number | null = null;
  await ensure({
    name: 'spend-cap',
    desired: { adAccountId, spendCapMinor: capMinor },
    find: async (noted) => {
      const nowMinor = (await read()) ?? null;
      // After a lost answer Meta shows the new cap; what it was before stands in the mark.
      const { previousMinor: notedMinor } = v.parse(notedCap, noted ?? {});
      previousMinor = nowMinor === capMinor && notedMinor !== undefined ? notedMinor : nowMinor;
      return nowMinor === capMinor ? { spendCapMinor: capMinor, previousMinor } : undefined;
    },
    before: () => ({ previousMinor }),
    create: async () => {
      await setSpendCap(graph, cap);
      const applied = await read();
      if (applied !== capMinor) {
        throw new Failed(`the spend cap reads ${applied ?? 'none'} minor units after writing ${capMinor}`);
      }
      return { spendCapMinor: capMinor, previousMinor };
    },
  });
}

/** Meta takes no cap below what is spent, or little above it; it has no error of its own for that. */
async function refusedBelowSpent(
  error: unknown,
  { adAccountId, capMinor, currency }: Cap,
  tenantId: string,
  graph: GraphAs<OperatorKind>,
): Promise<Waiting | undefined> {
  if (!(error instanceof GraphError && error.reason === 'invalid-parameter')) return undefined;
  const { amountSpentMinor = 0, spendCapMinor } = await readAdAccount(graph, adAccountId);
  if (capMinor * 10 > amountSpentMinor * 11) return undefined;
  const inUnits = (amountMinor: number): string => `${toWholeUnits(amountMinor, currency)} ${currency}`;
  const inForce = spendCapMinor === undefined ? 'no cap is in force' : `${inUnits(spendCapMinor)} stays in force`;
  return new Waiting({
    on: 'kobi',
    for: 'spend-cap-below-spent',
    what: `Meta refuses a spend cap of ${inUnits(capMinor)}: ${inUnits(amountSpentMinor)} are spent already, and ${inForce}. Choose a larger plan (PATCH /tenants/${tenantId} {planId}).`,
    pollEveryMs: dayMs,
  });
}
