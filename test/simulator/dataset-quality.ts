import { canSee } from './access.ts';
import { endpoint } from './endpoint.ts';
import { qualityOf, type EventQuality } from './event-quality.ts';
import { bareRows, row, words, type Shape } from './field-selection.ts';
import { missingParameter, unknownObject } from './graph-error.ts';
import { id, optional, required, text } from './parameters.ts';
import type { Pixel } from './world.ts';

/**
 * `GET /dataset_quality` (Dataset Quality API): a root edge, for web events only, over the last 48 hours. The answer's
 * root is `{"web": […]}`, one object per event name and no row for all of them.
 */
const windowMs = 48 * 3_600_000;
const goalPercentage = 75;

const webQuality: Shape<EventQuality> = {
  name: 'AdsPixelCAPIIntegrationQuality',
  defaults: ['event_name'],
  empty: words('acr event_potential_aly_acr_increase'),
  fields: {
    event_name: ({ eventName }) => eventName,
    event_match_quality: ({ compositeScore, coverage }) => ({
      ...(compositeScore !== undefined && { composite_score: compositeScore }),
      match_key_feedback: coverage.map(({ identifier, percentage }) => ({ identifier, coverage: { percentage } })),
      diagnostics: [],
    }),
    event_coverage: () => ({ percentage: 100, goal_percentage: goalPercentage, description: 'Server events' }),
    dedupe_key_feedback: ({ withEventIdPercentage }) => [
      {
        dedupe_key: 'event_id',
        browser_events_with_dedupe_key: { percentage: 0, description: 'Browser events' },
        server_events_with_dedupe_key: { percentage: withEventIdPercentage, description: 'Server events' },
        overall_browser_coverage_from_dedupe_key: { percentage: 0, description: 'Overlap' },
      },
    ],
    data_freshness: ({ uploadFrequency }) => ({
      upload_frequency: uploadFrequency,
      description: 'How soon events come',
    }),
  },
};

const quality: Shape<Pixel> = {
  name: 'DatasetQuality',
  defaults: ['web'],
  empty: words(''),
  fields: {
    web: ({ id: dataset }, { clock, events, quality: planted, switches }) => {
      const found =
        planted.get(dataset) ??
        qualityOf(events.retained(dataset), clock.nowMs() - windowMs, switches.quality_fewest_events);
      return bareRows(webQuality, found);
    },
  },
};

const readQuality = endpoint({
  operation: 'read_dataset_quality',
  method: 'GET',
  on: 'root',
  edge: 'dataset_quality',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_read'],
  parameters: { dataset_id: required(id), agent_name: optional(text), fields: optional(text) },
  handle({ params, credential, context }) {
    if (params.fields === undefined) throw missingParameter('fields');
    const dataset = context.store.find('pixel', params.dataset_id);
    if (dataset === undefined || !canSee(credential, dataset, context)) {
      throw unknownObject(params.dataset_id, 'GET', 'no such dataset for this caller');
    }
    return row(quality, dataset);
  },
});

export const datasetQualityEndpoints = [readQuality];
