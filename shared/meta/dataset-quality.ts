/** The Dataset Quality API: how findable the people of a dataset's web events are (Marketing API, "Dataset Quality API"). */
import * as v from 'valibot';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphId } from './answers.ts';

/** One event name. Whatever Meta leaves out is undefined: too few events, or a figure this dataset does not have. */
export interface EventQuality {
  readonly eventName: string;
  /** 0 to 10. */
  readonly compositeScore: number | undefined;
  /** Meta's identifier, e.g. `email` → percentage of events that carry it. */
  readonly coverage: Readonly<Record<string, number>>;
  /** Percentage of server events that carry `event_id`. */
  readonly dedupePercentage: number | undefined;
  /** `real_time`, `hourly`, … */
  readonly uploadFrequency: string | undefined;
  /** Additional conversions reported, per cent. */
  readonly acrPercentage: number | undefined;
}

const share = v.object({ percentage: v.optional(v.nullable(v.number())) });

/** Every part is optional: Meta answers with what it has. */
const webQuality = v.object({
  event_name: v.string(),
  event_match_quality: v.optional(
    v.nullable(
      v.object({
        composite_score: v.optional(v.nullable(v.number())),
        match_key_feedback: v.optional(
          v.nullable(v.array(v.object({ identifier: v.string(), coverage: v.optional(v.nullable(share)) }))),
        ),
      }),
    ),
  ),
  dedupe_key_feedback: v.optional(
    v.nullable(
      v.array(v.object({ dedupe_key: v.string(), server_events_with_dedupe_key: v.optional(v.nullable(share)) })),
    ),
  ),
  data_freshness: v.optional(v.nullable(v.object({ upload_frequency: v.optional(v.nullable(v.string())) }))),
  acr: v.optional(v.nullable(share)),
});
const answer = v.object({ web: v.optional(v.nullable(v.array(webQuality)), []) });
const fields = `web{${Object.keys(webQuality.entries).join(',')}}`;

/**
 * `GET /dataset_quality?dataset_id=…`: one entry per event name of the last days, web events only. A dataset without such
 * events gives an empty list, which is not the same as bad quality.
 */
export async function readDatasetQuality(
  graph: GraphAs<CredentialFor<'read-dataset-quality'>>,
  datasetId: string,
): Promise<EventQuality[]> {
  const { web } = await graph.get('/dataset_quality', { dataset_id: v.parse(graphId, datasetId), fields }, answer);
  return (web ?? []).map((row) => ({
    eventName: row.event_name,
    compositeScore: row.event_match_quality?.composite_score ?? undefined,
    coverage: Object.fromEntries(
      (row.event_match_quality?.match_key_feedback ?? []).flatMap(({ identifier, coverage }) =>
        typeof coverage?.percentage === 'number' ? [[identifier, coverage.percentage]] : [],
      ),
    ),
    dedupePercentage:
      row.dedupe_key_feedback?.find(({ dedupe_key: key }) => key === 'event_id')?.server_events_with_dedupe_key
        ?.percentage ?? undefined,
    uploadFrequency: row.data_freshness?.upload_frequency ?? undefined,
    acrPercentage: row.acr?.percentage ?? undefined,
  }));
}
