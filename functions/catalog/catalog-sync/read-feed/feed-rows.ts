import type { FeedFormat } from '../../../../shared/contracts/catalog-documents.ts';
import { delimitedRows } from './delimited-rows.ts';
import type { FeedRow } from './feed-row.ts';
import { jsonRows } from './json-rows.ts';
import { xmlRows } from './xml-rows.ts';

/** The rows of a feed, a chunk's worth at a time, in bounded memory. @throws FeedMalformed */
export function feedRows(bytes: AsyncIterable<Uint8Array>, format: FeedFormat): AsyncGenerator<readonly FeedRow[]> {
  switch (format) {
    case 'csv':
      return delimitedRows(bytes, undefined);
    case 'tsv':
      return delimitedRows(bytes, '\t');
    case 'jsonl':
      return jsonRows(bytes);
    case 'xml':
      return xmlRows(bytes);
  }
}
