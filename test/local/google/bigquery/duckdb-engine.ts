/** The SQL engine under the local BigQuery: DuckDB in this process, with the warehouse's datasets as schemas. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { reportingDataset, stagingDataset, warehouseTables } from '../../../../shared/gcp/warehouse/tables.ts';
import type { ColumnType } from '../../../../shared/gcp/warehouse/tables.ts';

export interface EngineColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly isRequired: boolean;
}

const duckTypes: Readonly<Record<ColumnType, string>> = {
  STRING: 'VARCHAR',
  DATE: 'DATE',
  INT64: 'BIGINT',
  // BigQuery's NUMERIC: 38 digits, nine of them decimals.
  NUMERIC: 'DECIMAL(38,9)',
  TIMESTAMP: 'TIMESTAMP',
};

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

export class DuckDbEngine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** One statement at a time: DuckDB would refuse two that change one table. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /** An empty warehouse in memory. */
  static async open(): Promise<DuckDbEngine> {
    // One thread: what is kept here is small, and threads that wait for each other cost more than they bring.
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const engine = new DuckDbEngine(instance, await instance.connect());
    for (const dataset of [reportingDataset, stagingDataset]) await engine.run(`CREATE SCHEMA ${dataset}`);
    for (const table of warehouseTables) {
      const nullable: readonly string[] = table.nullable;
      const columns = Object.entries(table.columns).map(([name, type]) => ({
        name,
        type,
        isRequired: !nullable.includes(name),
      }));
      await engine.run(`CREATE TABLE ${reportingDataset}.${table.name} (${ddlOf(columns)})`);
    }
    return engine;
  }

  /** @param params by name; `@name` in the statement, as in BigQuery */
  async run(sql: string, params: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>[]> {
    return this.#inTurn(async () => {
      const named = sql.replace(/@(\w+)/g, '$$$1');
      const used = Object.fromEntries(Object.entries(params).filter(([name]) => named.includes(`$${name}`)));
      const reader = await this.#connection.runAndReadAll(named, used);
      return reader.getRowObjectsJson();
    });
  }

  /** Makes the table anew from newline-delimited JSON. @throws Error naming the line and column that do not fit */
  async load(dataset: string, table: string, columns: readonly EngineColumn[], ndjson: string): Promise<number> {
    if (!identifier.test(dataset) || !identifier.test(table)) throw new Error(`"${dataset}.${table}" is no table name`);
    const file = join(tmpdir(), `kobi-load-${randomUUID()}.ndjson`);
    await writeFile(file, ndjson);
    try {
      const typed = columns.map(({ name, type }) => `${name}: '${duckTypes[type]}'`).join(', ');
      await this.run(`CREATE OR REPLACE TABLE ${dataset}.${table} (${ddlOf(columns)})`);
      await this.run(
        `INSERT INTO ${dataset}.${table} SELECT ${columns.map(({ name }) => name).join(', ')}
         FROM read_json('${file}', format = 'newline_delimited', columns = {${typed}}, maximum_object_size = 1048576)`,
      );
      const [counted] = await this.run(`SELECT COUNT(*) AS n FROM ${dataset}.${table}`);
      return Number(counted?.['n'] ?? 0);
    } finally {
      await rm(file, { force: true });
    }
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

function ddlOf(columns: readonly EngineColumn[]): string {
  return columns
    .map(({ name, type, isRequired }) => `${name} ${duckTypes[type]}${isRequired ? ' NOT NULL' : ''}`)
    .join(', ');
}
