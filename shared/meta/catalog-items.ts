/** Items of a product catalog in batches (Marketing API, "Catalog Batch API"). */
import * as v from 'valibot';
import type { CredentialFor } from './credentials.ts';
import { GraphError } from './errors.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

/** Meta advises fewer than this many requests a batch; its hard limit is 5,000. */
export const maxItemsPerBatch = 3_000;

const timeoutMs = 60_000;

/** One request of a batch, as Meta reads it: `{"method":"UPDATE","data":{"id":…}}`. A `DELETE` needs only the id. */
export interface ItemRequest {
  readonly method: 'UPDATE' | 'DELETE';
  readonly data: { readonly id: string; readonly [field: string]: unknown };
}

export interface ItemsReceipt {
  /** Under which Meta works on the batch. Undefined: **nothing was ingested**, although the answer was HTTP 200. */
  readonly handle: string | undefined;
  /** Requests Meta left out at once, and why. */
  readonly invalid: readonly { readonly id: string; readonly messages: readonly string[] }[];
}

const messages = v.optional(v.array(v.object({ message: v.optional(v.string(), '') })), []);
const receipt = v.object({
  handles: v.optional(v.array(v.string()), []),
  validation_status: v.optional(
    v.array(v.object({ retailer_id: v.optional(v.string(), ''), errors: messages, warnings: messages })),
    [],
  ),
});

/**
 * `POST /{catalog}/items_batch` with upsert: sending the same batch again changes nothing, so after a lost answer it may
 * be sent again.
 *
 * @throws GraphError `bad-request` without a call for an empty batch or one over the limit
 */
export async function sendItems(
  graph: GraphAs<CredentialFor<'send-catalog-items'>>,
  batch: { readonly catalogId: string; readonly requests: readonly unknown[] },
): Promise<ItemsReceipt> {
  if (batch.requests.length === 0 || batch.requests.length > maxItemsPerBatch) {
    throw new GraphError({
      class: 'config-bug',
      reason: 'bad-request',
      outcome: 'not-applied',
      call: 'POST /{id}/items_batch',
      detail: `${batch.requests.length} items; 1 to ${maxItemsPerBatch} are allowed`,
    });
  }
  const answer = await graph.post(
    graphPath(batch.catalogId, 'items_batch'),
    { item_type: 'PRODUCT_ITEM', requests: batch.requests, allow_upsert: true },
    receipt,
    { json: true, timeoutMs },
  );
  const invalid = answer.validation_status.filter(({ errors }) => errors.length > 0);
  return {
    handle: answer.handles[0],
    invalid: invalid.map(({ retailer_id: id, errors }) => ({ id, messages: errors.map(({ message }) => message) })),
  };
}

export interface BatchStatus {
  /** `running` for every status that is not known to be an end. */
  readonly state: 'running' | 'finished' | 'failed';
  /** Ids of requests Meta refused. */
  readonly invalidIds: readonly string[];
  /** What Meta says about some of them. */
  readonly errors: readonly { readonly id: string; readonly message: string }[];
  readonly errorCount: number;
  readonly warningCount: number;
}

const told = v.object({ id: v.optional(v.string(), ''), message: v.optional(v.string(), '') });
const count = v.optional(v.number(), 0);
const statuses = v.object({
  data: v.pipe(
    v.array(
      v.object({
        status: v.string(),
        errors: v.optional(v.array(told), []),
        errors_total_count: count,
        warnings_total_count: count,
        ids_of_invalid_requests: v.optional(v.nullable(v.array(v.string())), []),
      }),
    ),
    v.minLength(1),
  ),
});

/** `GET /{catalog}/check_batch_request_status`. */
export async function checkBatch(
  graph: GraphAs<CredentialFor<'check-catalog-batch'>>,
  batch: { readonly catalogId: string; readonly handle: string },
): Promise<BatchStatus> {
  const answer = await graph.get(
    graphPath(batch.catalogId, 'check_batch_request_status'),
    {
      handle: batch.handle,
      load_ids_of_invalid_requests: true,
      fields: 'handle,status,errors,errors_total_count,warnings_total_count,ids_of_invalid_requests',
    },
    statuses,
  );
  const [row] = answer.data;
  const errors = row?.errors ?? [];
  return {
    state: row?.status === 'finished' ? 'finished' : row?.status === 'error' ? 'failed' : 'running',
    // The list of ids is complete, the errors are not; ids that only the errors name are not to be lost.
    invalidIds: [...new Set([...(row?.ids_of_invalid_requests ?? []), ...errors.map(({ id }) => id)])].filter(Boolean),
    errors,
    errorCount: row?.errors_total_count ?? 0,
    warningCount: row?.warnings_total_count ?? 0,
  };
}
