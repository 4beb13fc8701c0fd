import type { SimulatorContext } from './context.ts';
import type { FieldTree, Rows } from './field-selection.ts';
import { render, Row } from './field-selection.ts';
import { invalidParameter } from './graph-error.ts';
import type { Parameter } from './parameters.ts';
import { text, undescribed, unsigned } from './parameters.ts';

/** Parameters every list edge takes besides its own. */
export const listParameters = {
  limit: undescribed(unsigned),
  after: undescribed(text),
  before: undescribed(text),
  summary: undescribed(text),
} satisfies Record<string, Parameter<unknown>>;

export interface Page {
  limit: number | undefined;
  after: string | undefined;
  before: string | undefined;
  summary: string | undefined;
}

const defaultLimit = 25;
const largestLimit = 1_000;

const cursorAt = (index: number): string => Buffer.from(`sim:${String(index)}`).toString('base64url');

function indexOf(cursor: string, name: string): number {
  const found = /^sim:(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (found === undefined) throw invalidParameter(name, 'is not a cursor of this list.');
  return Number(found);
}

/** `{data, paging, summary?}` of one page; `next` and `previous` only where there is more. */
export function pageOf(
  rows: Rows,
  page: Page,
  tree: FieldTree | undefined,
  linkTo: (query: Record<string, string>) => string,
  context: SimulatorContext,
): Record<string, unknown> {
  const limit = Math.min(page.limit ?? defaultLimit, largestLimit);
  if (limit < 1) throw invalidParameter('limit', 'must be at least 1.');
  const total = rows.values.length;
  let start = 0;
  if (page.after !== undefined) start = Math.min(indexOf(page.after, 'after') + 1, total);
  else if (page.before !== undefined) start = Math.max(indexOf(page.before, 'before') - limit, 0);
  const end = Math.min(start + limit, total);
  const answer: Record<string, unknown> = {
    data: rows.values.slice(start, end).map((value) => render(new Row(rows.shape, value), tree, context)),
  };
  if (end > start) {
    const paging: Record<string, unknown> = { cursors: { before: cursorAt(start), after: cursorAt(end - 1) } };
    if (end < total) paging['next'] = linkTo({ limit: String(limit), after: cursorAt(end - 1) });
    if (start > 0) paging['previous'] = linkTo({ limit: String(limit), before: cursorAt(start) });
    answer['paging'] = paging;
  }
  if (page.summary !== undefined && page.summary !== 'false' && page.summary !== '0') {
    answer['summary'] = { total_count: total };
  }
  return answer;
}
