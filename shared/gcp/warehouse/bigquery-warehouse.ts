import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BigQuery } from '@google-cloud/bigquery';
import type { BigQueryOptions } from '@google-cloud/bigquery';
import { OAuth2Client } from 'google-auth-library';
import { eraseStatement, mergeStatement, models } from './statements.ts';
import type { Statement } from './statements.ts';
import { stagingDataset, warehouseTables } from './tables.ts';
import type { WarehouseTable } from './tables.ts';
import { plainNumbers } from './warehouse.ts';
import type { Warehouse } from './warehouse.ts';

export interface BigQueryWarehouseOptions {
  readonly projectId: string;
  /** Where the datasets are, e.g. `EU`. */
  readonly location: string;
  /** Address of the local stand-in, which the client also finds in `BIGQUERY_EMULATOR_HOST`. */
  readonly emulatorHost?: string | undefined;
}

/** BigQuery runs two mutating statements of a table at a time and queues twenty; the rest are asked to come again. */
const mergeTries = 5;

/** The warehouse in BigQuery: a load job for each stage, one MERGE for each run, queries for the models. */
export function createBigQueryWarehouse({ projectId, location, emulatorHost }: BigQueryWarehouseOptions): Warehouse {
  const client = new BigQuery({
    projectId,
    location,
    ...(emulatorHost === undefined ? {} : standIn(emulatorHost)),
    maxRetries: mergeTries,
  });

  const run = async ({ sql, params }: Statement): Promise<Record<string, unknown>[]> => {
    const [rows] = await client.query({ query: sql, params, location, useLegacySql: false });
    return rows as Record<string, unknown>[];
  };

  return {
    async stage(table, stage, rows) {
      if (rows.length === 0) return;
      const load = client
        .dataset(stagingDataset)
        .table(stage)
        .createWriteStream({
          sourceFormat: 'NEWLINE_DELIMITED_JSON',
          schema: { fields: schemaOf(table) },
          // The same stage again takes the place of the first.
          writeDisposition: 'WRITE_TRUNCATE',
          createDisposition: 'CREATE_IF_NEEDED',
        });
      const finished = once(load, 'complete');
      // A failed upload is thrown by the pipeline; the event then never comes.
      finished.catch(() => undefined);
      await pipeline(Readable.from(linesOf(rows)), load);
      await finished;
    },

    async merge(table, request) {
      if (request.scopes.length === 0) return;
      await run(mergeStatement(table, request));
    },

    async query(model, { tenantId, since, until, report }) {
      const params = { tenant: tenantId, since, until, ...(report === undefined ? {} : { report }) };
      return (await run({ sql: models[model], params })).map(plainNumbers);
    },

    async erase(tenantId) {
      for (const table of warehouseTables) {
        try {
          await run(eraseStatement(table, tenantId));
        } catch (error) {
          // Where no report was ever made there may be no table.
          if (!(error instanceof Error && 'code' in error && error.code === 404)) throw error;
        }
      }
    },

    close: async () => undefined,
  };
}

/**
 * What makes the client talk to the local stand-in. Without any sign-in its uploads fail before they are sent (it sets a
 * header on headers that are not there), so it shows a token that opens nothing.
 */
function standIn(apiEndpoint: string): BigQueryOptions {
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'local' });
  const withToken = { useAuthWithCustomEndpoint: true };
  return { apiEndpoint, authClient, ...withToken };
}

/** Column descriptions as BigQuery's API takes them. */
export function schemaOf({ columns, nullable }: WarehouseTable): { name: string; type: string; mode: string }[] {
  return Object.entries(columns).map(([name, type]) => ({
    name,
    type: type === 'INT64' ? 'INTEGER' : type,
    mode: nullable.includes(name) ? 'NULLABLE' : 'REQUIRED',
  }));
}

function* linesOf(rows: readonly object[]): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`;
}
