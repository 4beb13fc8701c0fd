import { isConsolidatedContainer } from '../../../shared/meta/pixels.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

const hourMs = 60 * 60 * 1000;

/**
 * Makes sure the dataset takes CRM and offline events. Meta no longer lets anybody create an offline event set: since
 * May 2025 these events go to the same dataset with another `action_source`, if it is a consolidated container.
 * (Document, "Onboarding checklist" 8; Conversions API, "Offline events".)
 */
export const prepareOfflineEvents: StepFactory<'prepare-offline-events'> = (services) => async (context) => {
  const { datasetId } = context.product('create-pixel');
  const { graph } = await operatorOf(services, context);
  if (!(await isConsolidatedContainer(graph, datasetId))) {
    throw new Waiting({
      on: 'meta',
      for: 'consolidated-dataset',
      what: `Dataset ${datasetId} is not consolidated yet, so Meta would refuse its offline events.`,
      pollEveryMs: hourMs,
    });
  }
  return { products: { offlineDatasetId: datasetId } };
};
