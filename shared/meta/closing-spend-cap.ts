import { closingSpendCapMinor } from '../domain/plans.ts';
import { readAdAccount, readSpendCapMinor, setSpendCap } from './ad-accounts.ts';
import type { CredentialFor } from './credentials.ts';
import { GraphError } from './errors.ts';
import type { GraphAs } from './graph-client.ts';

/**
 * Caps an ad account that has come to its end at one whole unit of its currency. Whether Meta takes a cap below what was
 * spent already is not documented; where it does not, at the next whole unit above a tenth more than that. Repeatable.
 * Returns the cap as Meta has it, in minor units; undefined when Meta shows none.
 */
export async function closeSpendCap(
  graph: GraphAs<CredentialFor<'set-spend-cap'>>,
  account: { readonly adAccountId: string; readonly currency: string },
): Promise<number | undefined> {
  const { adAccountId, currency } = account;
  const unitMinor = closingSpendCapMinor(currency);
  try {
    await setSpendCap(graph, { adAccountId, capMinor: unitMinor, currency });
  } catch (error) {
    if (!(error instanceof GraphError && error.reason === 'invalid-parameter')) throw error;
    const { amountSpentMinor = 0 } = await readAdAccount(graph, adAccountId);
    const capMinor = Math.ceil((amountSpentMinor * 11) / 10 / unitMinor) * unitMinor;
    await setSpendCap(graph, { adAccountId, capMinor, currency });
  }
  return readSpendCapMinor(graph, adAccountId);
}
