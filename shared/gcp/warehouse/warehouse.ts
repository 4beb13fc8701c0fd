import type { DayRange } from '../../domain/insights/account-day.ts';
import type { MergeRequest, ModelName } from './statements.ts';
import type { WarehouseTable } from './tables.ts';

/** A row to store: decimals, dates and instants as text. */
export type WarehouseRow = Readonly<Record<string, string | null>>;

export interface ModelRequest extends DayRange {
  readonly tenantId: string;
  /** Of `cells` only. */
  readonly report?: string;
}

/**
 * Where daily numbers are kept. Rows are staged, then merged: staging the same name again replaces it, merging again
 * changes nothing, and a merge that was cut off is simply made again.
 */
export interface Warehouse {
  /** Puts the rows into a staging table of that name; without rows there is none. @throws Error when a row does not fit */
  stage(table: WarehouseTable, stage: string, rows: readonly WarehouseRow[]): Promise<void>;
  /** Makes the stored rows of the scopes those that are staged: adds, changes and deletes, all at once. */
  merge(table: WarehouseTable, request: MergeRequest): Promise<void>;
  /** Rows of a model; numbers are decimal strings without trailing zeros. */
  query(model: ModelName, request: ModelRequest): Promise<Record<string, string | null>[]>;
  /** Deletes every row of a tenant, in every table. Safe to repeat. */
  erase(tenantId: string): Promise<void>;
  close(): Promise<void>;
}

/** Numbers as both engines give them, in one form: `12.340000000` and `12.34` are the same. */
export function plainNumbers(row: Readonly<Record<string, unknown>>): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null || value === undefined) return [name, null];
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return [name, /^-?\d+\.\d*$/.test(text) ? text.replace(/\.?0*$/, '') : text];
    }),
  );
}
