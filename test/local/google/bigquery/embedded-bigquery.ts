/**
 * BigQuery for this machine, over REST for the unchanged `@google-cloud/bigquery` client: load jobs by multipart upload,
 * queries with named parameters, results in pages; DuckDB does the SQL. As strict as BigQuery where our calls could be
 * wrong: unknown columns and missing required ones fail a load, a parameter that is not given fails a query.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ColumnType } from '../../../../shared/gcp/warehouse/tables.ts';
import type { DuckDbEngine, EngineColumn } from './duckdb-engine.ts';

export interface EmbeddedBigQuery {
  /** `http://host:port`, for BIGQUERY_EMULATOR_HOST. */
  readonly url: string;
  /** `METHOD path` of every request so far. */
  readonly requests: string[];
  /** The next requests are answered with this status and reason instead, as BigQuery does when it is busy. */
  failNext(times: number, status: number, reason: string): void;
  close(): Promise<void>;
}

interface Job {
  readonly id: string;
  readonly configuration: Record<string, unknown>;
  readonly rows: Record<string, unknown>[];
  readonly error: string | undefined;
  readonly outputRows: number;
}

class Refused extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const types: Readonly<Record<string, ColumnType>> = {
  STRING: 'STRING',
  DATE: 'DATE',
  INTEGER: 'INT64',
  INT64: 'INT64',
  NUMERIC: 'NUMERIC',
  TIMESTAMP: 'TIMESTAMP',
};

export async function startEmbeddedBigQuery(options: { port?: number } = {}): Promise<EmbeddedBigQuery> {
  let opened: Promise<DuckDbEngine> | undefined;
  /** DuckDB is large: it comes with the first job, and most stacks never run one. */
  const engine = (): Promise<DuckDbEngine> =>
    (opened ??= import('./duckdb-engine.ts').then(({ DuckDbEngine: Engine }) => Engine.open()));
  const jobs = new Map<string, Job>();
  const requests: string[] = [];
  const failures: { status: number; reason: string }[] = [];

  const query = async (configuration: QueryConfiguration, jobId: string): Promise<Job> => {
    if (configuration.useLegacySql !== false) throw new Refused(400, 'invalid', 'only GoogleSQL is served');
    const params = paramsOf(configuration);
    const missing = [...configuration.query.matchAll(/@(\w+)/g)]
      .map(([, name = '']) => name)
      .find((name) => !(name in params));
    if (missing !== undefined) throw new Refused(400, 'invalidQuery', `Query parameter '${missing}' not found`);
    const rows = await (await engine()).run(configuration.query, params).catch((error: unknown) => {
      throw new Refused(400, 'invalidQuery', error instanceof Error ? error.message : String(error));
    });
    return keep({
      id: jobId,
      configuration: { query: configuration },
      rows,
      error: undefined,
      outputRows: rows.length,
    });
  };

  const load = async (metadata: LoadMetadata, ndjson: string): Promise<Job> => {
    const { load: wanted } = metadata.configuration;
    const { datasetId, tableId } = wanted.destinationTable;
    const columns = wanted.schema.fields.map(({ name, type, mode }): EngineColumn => {
      const known = types[type];
      if (known === undefined) throw new Refused(400, 'invalid', `Invalid field type ${type}`);
      return { name, type: known, isRequired: mode === 'REQUIRED' };
    });
    const id = metadata.jobReference?.jobId ?? randomUUID();
    const known = jobs.get(id);
    if (known !== undefined) throw new Refused(409, 'duplicate', `Already Exists: Job ${id}`);
    const names = new Set(columns.map(({ name }) => name));
    let error: string | undefined;
    let outputRows = 0;
    for (const [index, line] of ndjson.trim().split('\n').entries()) {
      const row = JSON.parse(line) as Record<string, unknown>;
      const unknown = Object.keys(row).find((name) => !names.has(name));
      if (unknown !== undefined) error ??= `JSON parsing error in row ${index + 1}: No such field: ${unknown}`;
      const absent = columns.find(
        ({ name, isRequired }) => isRequired && (row[name] === undefined || row[name] === null),
      );
      if (absent !== undefined) error ??= `Missing required field: ${absent.name} in row ${index + 1}`;
    }
    if (error === undefined) {
      try {
        outputRows = await (await engine()).load(datasetId, tableId, columns, ndjson);
      } catch (failure) {
        error = failure instanceof Error ? failure.message : String(failure);
      }
    }
    return keep({ id, configuration: { load: wanted }, rows: [], error, outputRows });
  };

  const keep = (job: Job): Job => {
    jobs.set(job.id, job);
    return job;
  };

  const answerFor = async (method: string, url: URL, body: Buffer, contentType: string): Promise<unknown> => {
    const path = url.pathname;
    const project = /\/projects\/([^/]+)\//.exec(path)?.[1] ?? '';
    if (method === 'POST' && /^\/upload\/bigquery\/v2\/projects\/[^/]+\/jobs$/.test(path)) {
      const [metadata, ndjson] = multipart(body, contentType);
      return jobResource(await load(JSON.parse(metadata) as LoadMetadata, ndjson), project);
    }
    const tail = path.replace(/^(?:\/bigquery\/v2)?\/projects\/[^/]+/, '');
    if (method === 'POST' && tail === '/queries') {
      return queryResponse(await query(JSON.parse(body.toString()) as QueryConfiguration, randomUUID()), project);
    }
    if (method === 'POST' && tail === '/jobs') {
      const { configuration, jobReference } = JSON.parse(body.toString()) as JobRequest;
      return jobResource(await query(configuration.query, jobReference?.jobId ?? randomUUID()), project);
    }
    const [, kind, id = ''] = /^\/(jobs|queries)\/([^/]+)$/.exec(tail) ?? [];
    const job = jobs.get(decodeURIComponent(id));
    if (method === 'GET' && kind !== undefined) {
      if (job === undefined) throw new Refused(404, 'notFound', `Not found: Job ${id}`);
      return kind === 'jobs' ? jobResource(job, project) : queryResponse(job, project);
    }
    throw new Refused(404, 'notFound', `${method} ${path} is not served here`);
  };

  const server = createServer((request, response) => {
    const handle = async (): Promise<void> => {
      const url = new URL(request.url ?? '/', 'http://local');
      requests.push(`${request.method ?? ''} ${url.pathname}`);
      const body = await bodyOf(request);
      const failure = failures.shift();
      if (failure !== undefined) throw new Refused(failure.status, failure.reason, 'planted');
      const answer = await answerFor(request.method ?? '', url, body, request.headers['content-type'] ?? '');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    handle().catch((error: unknown) => {
      const { status, reason, message } =
        error instanceof Refused ? error : new Refused(500, 'backendError', String(error));
      const body = { error: { code: status, message, errors: [{ reason, message, domain: 'global' }] } };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    failNext: (times, status, reason) => failures.push(...Array.from({ length: times }, () => ({ status, reason }))),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      (await opened)?.close();
    },
  };
}

interface QueryConfiguration {
  readonly query: string;
  readonly useLegacySql?: boolean;
  readonly parameterMode?: string;
  readonly queryParameters?: readonly {
    name: string;
    parameterType: { type: string };
    parameterValue: { value: string };
  }[];
}
interface JobRequest {
  readonly configuration: { readonly query: QueryConfiguration };
  readonly jobReference?: { readonly jobId?: string };
}
interface LoadMetadata {
  readonly configuration: {
    readonly load: {
      readonly destinationTable: { readonly datasetId: string; readonly tableId: string };
      readonly schema: { readonly fields: readonly { name: string; type: string; mode?: string }[] };
    };
  };
  readonly jobReference?: { readonly jobId?: string };
}

function paramsOf({ queryParameters = [], parameterMode }: QueryConfiguration): Record<string, string> {
  if (queryParameters.length > 0 && parameterMode?.toLowerCase() !== 'named') {
    throw new Refused(400, 'invalid', 'only named parameters are served');
  }
  return Object.fromEntries(
    queryParameters.map(({ name, parameterType, parameterValue }) => {
      if (parameterType.type !== 'STRING') throw new Refused(400, 'invalid', `parameter ${name} is no STRING`);
      return [name, parameterValue.value];
    }),
  );
}

/** The two parts of a `multipart/related` upload: metadata and data. */
function multipart(body: Buffer, contentType: string): [string, string] {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Refused(400, 'badRequest', 'expected a multipart upload');
  const parts = body
    .toString('utf8')
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) =>
      part
        .replace(/^\r?\n/, '')
        .replace(/^(?:[^\r\n]+\r?\n)*\r?\n/, '')
        .replace(/\r?\n$/, ''),
    );
  return [parts[0] ?? '', parts[1] ?? ''];
}

function jobResource(job: Job, projectId: string): unknown {
  return {
    kind: 'bigquery#job',
    id: `${projectId}:EU.${job.id}`,
    jobReference: { projectId, jobId: job.id, location: 'EU' },
    configuration: job.configuration,
    statistics: { load: { outputRows: String(job.outputRows) } },
    status: {
      state: 'DONE',
      ...(job.error === undefined
        ? {}
        : {
            errorResult: { reason: 'invalid', message: job.error },
            errors: [{ reason: 'invalid', message: job.error }],
          }),
    },
  };
}

function queryResponse(job: Job, projectId: string): unknown {
  const names = Object.keys(job.rows[0] ?? {});
  return {
    kind: 'bigquery#queryResponse',
    jobReference: { projectId, jobId: job.id, location: 'EU' },
    jobComplete: true,
    schema: { fields: names.map((name) => ({ name, type: 'STRING', mode: 'NULLABLE' })) },
    totalRows: String(job.rows.length),
    rows: job.rows.map((row) => ({ f: names.map((name) => ({ v: row[name] ?? null })) })),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
