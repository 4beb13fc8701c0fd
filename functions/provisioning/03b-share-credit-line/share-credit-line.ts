import { findCreditAllocation, shareCreditLine } from '../../../shared/meta/credit-lines.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import type { StepFactory } from '../services.ts';

const hourMs = 60 * 60 * 1000;

/**
 * Shares Kobi's line of credit with the child business, with the parent's token. Meta keeps one allocation per receiving
 * business, which is how it is found again. (Document, "Token model": "Share parent line of credit to child".)
 */
export const shareCreditLineStep: StepFactory<'share-credit-line'> =
  ({ graph, credentials, kobi, readiness }) =>
  async ({ product, ensure }) => {
    if (!(await readiness()).pre2) {
      throw new Waiting({
        on: 'kobi',
        for: 'PRE-2',
        what: 'The parent Business Manager needs its extended credit line, with the allocation terms accepted (PRE-2).',
        pollEveryMs: hourMs,
      });
    }
    const asParent = graph.as(await credentials.parent());
    const share = {
      extendedCreditId: kobi.extendedCreditId,
      receivingBusinessId: product('create-child-business').childBusinessId,
    };
    const { creditAllocationConfigId } = await ensure({
      name: 'credit-allocation-config',
      desired: share,
      find: async () => {
        const found = await findCreditAllocation(asParent, share);
        return found && { creditAllocationConfigId: found.id };
      },
      create: async () => ({ creditAllocationConfigId: (await shareCreditLine(asParent, share)).id }),
    });
    return { products: { creditAllocationConfigId } };
  };
