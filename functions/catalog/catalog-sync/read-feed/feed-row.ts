import type { RawItem } from '../../../../shared/domain/catalog/judge-item.ts';

/** One row of a feed. */
export interface FeedRow {
  /** As a person finds it: the line of a spreadsheet or of JSON lines, the number of the `<item>` in XML. */
  readonly row: number;
  /** Undefined: the row could not be read, for `fault`. */
  readonly item: RawItem | undefined;
  readonly fault?: string;
}

/** The file is not what its format says. Rows read before are of no use: what is missing must not count as gone. */
export class FeedMalformed extends Error {
  override readonly name = 'FeedMalformed';
}

/** No row of products comes near it. */
export const maxRowChars = 64 * 1_024;
