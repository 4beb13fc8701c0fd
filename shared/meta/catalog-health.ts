/** How a catalog fares at Meta: products, diagnostics, and how content ids of events match. */
import * as v from 'valibot';
import { graphId } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

type Reader = GraphAs<CredentialFor<'read-catalog-health'>>;

/** `GET /{catalog}?fields=product_count`. */
export async function readProductCount(graph: Reader, catalogId: string): Promise<number> {
  const answer = await graph.get(
    graphPath(catalogId),
    { fields: 'id,product_count' },
    v.object({ product_count: v.number() }),
  );
  return answer.product_count;
}

export interface DiagnosticGroup {
  /** E.g. `ATTRIBUTES_MISSING`. */
  readonly type: string;
  /** `MUST_FIX` or `OPPORTUNITY`; a guide also speaks of `WARNING`. */
  readonly severity: string;
  readonly title: string;
  readonly affectedChannels: readonly string[];
  readonly affectedItems: number | null;
}

const diagnostic = v.object({
  type: v.string(),
  severity: v.string(),
  title: v.optional(v.string(), ''),
  affected_channels: v.optional(v.array(v.string()), []),
  number_of_affected_items: v.optional(v.nullable(v.number()), null),
});

/** `GET /{catalog}/diagnostics`, every group. Meta looks at a catalog about once a day. */
export async function readDiagnostics(graph: Reader, catalogId: string): Promise<DiagnosticGroup[]> {
  const fields = 'type,severity,title,affected_channels,number_of_affected_items';
  const groups = await graph.list(graphPath(catalogId, 'diagnostics'), { fields }, diagnostic);
  return groups.map(({ affected_channels, number_of_affected_items, ...group }) => ({
    ...group,
    affectedChannels: affected_channels,
    affectedItems: number_of_affected_items,
  }));
}

/** Content ids of one event from one source on one day. Ids are counted once, however often they were sent that day. */
export interface EventStat {
  /** `2026-11-25`. */
  readonly date: string;
  readonly event: string;
  readonly sourceId: string | null;
  readonly sourceType: string | null;
  readonly matched: number;
  /** Ids that are in no product of this catalog; those of another catalog of the business are among them. */
  readonly unmatched: number;
}

const stat = v.object({
  date_start: v.string(),
  event: v.string(),
  event_source: v.optional(v.object({ id: graphId, source_type: v.optional(v.string()) })),
  unique_matched_content_ids: v.number(),
  unique_unmatched_content_ids: v.number(),
  unique_content_ids_matched_other_catalogs: v.optional(v.number(), 0),
});

/** `GET /{catalog}/event_stats`: the last month by day, event and source. */
export async function readEventStats(graph: Reader, catalogId: string): Promise<EventStat[]> {
  const fields =
    'date_start,date_stop,event,event_source{id,source_type},unique_matched_content_ids,unique_unmatched_content_ids,' +
    'unique_content_ids_matched_other_catalogs';
  const rows = await graph.list(graphPath(catalogId, 'event_stats'), { fields }, stat);
  return rows.map((row) => ({
    date: row.date_start.slice(0, 10),
    event: row.event,
    sourceId: row.event_source?.id ?? null,
    sourceType: row.event_source?.source_type ?? null,
    matched: row.unique_matched_content_ids,
    unmatched: row.unique_unmatched_content_ids + row.unique_content_ids_matched_other_catalogs,
  }));
}
