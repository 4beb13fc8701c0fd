/** The warehouse straight on DuckDB, without BigQuery's wire in between: for proofs over millions of rows. */
import { eraseStatement, mergeStatement, models } from '../../../../shared/gcp/warehouse/statements.ts';
import { stagingDataset, warehouseTables } from '../../../../shared/gcp/warehouse/tables.ts';
import type { ColumnType } from '../../../../shared/gcp/warehouse/tables.ts';
import { plainNumbers } from '../../../../shared/gcp/warehouse/warehouse.ts';
import type { Warehouse } from '../../../../shared/gcp/warehouse/warehouse.ts';
import { DuckDbEngine } from './duckdb-engine.ts';

export async function createDuckDbWarehouse(
  engine?: DuckDbEngine,
): Promise<Warehouse & { readonly engine: DuckDbEngine }> {
  const own = engine ?? (await DuckDbEngine.open());
  return {
    engine: own,
    async stage(table, stage, rows) {
      if (rows.length === 0) return;
      const nullable: readonly string[] = table.nullable;
      const columns = Object.entries(table.columns).map(([name, type]: [string, ColumnType]) => ({
        name,
        type,
        isRequired: !nullable.includes(name),
      }));
      await own.load(stagingDataset, stage, columns, rows.map((row) => JSON.stringify(row)).join('\n'));
    },
    async merge(table, request) {
      if (request.scopes.length === 0) return;
      const { sql, params } = mergeStatement(table, request);
      await own.run(sql, params);
    },
    async query(model, { tenantId, since, until, report }) {
      const params = { tenant: tenantId, since, until, ...(report === undefined ? {} : { report }) };
      return (await own.run(models[model], params)).map(plainNumbers);
    },
    async erase(tenantId) {
      for (const table of warehouseTables) {
        const { sql, params } = eraseStatement(table, tenantId);
        await own.run(sql, params);
      }
    },
    close: async () => {
      if (engine === undefined) own.close();
    },
  };
}
