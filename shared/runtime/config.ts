/**
 * The only reader of the environment. A function asks for the variables it uses; when any is missing or wrong the start
 * stops and the error lists every problem at once.
 */
import * as v from 'valibot';
import { pathSettings } from '../domain/provisioning-path.ts';

const text = v.pipe(v.string(), v.trim(), v.nonEmpty());
const metaId = v.pipe(v.string(), v.regex(/^\d{1,20}$/, 'expected a numeric Meta id'));
const httpUrl = v.pipe(
  v.string(),
  v.url('expected an http(s) URL'),
  v.regex(/^https?:\/\//, 'expected an http(s) URL'),
  v.transform((url) => url.replace(/\/+$/, '')),
);
const hostAndPort = v.optional(v.pipe(v.string(), v.regex(/^[^:\s/]+:\d{1,5}$/, 'expected host:port')));

/** How long a worker may hold a step unless told otherwise: longer than any step's timeout. */
export const defaultStepLeaseMs = 150_000;

const leaseMs = v.pipe(
  v.string(),
  v.regex(/^\d{1,7}$/, 'expected milliseconds from 1000 to 3600000'),
  v.transform(Number),
  v.minValue(1_000, 'expected milliseconds from 1000 to 3600000'),
  v.maxValue(3_600_000, 'expected milliseconds from 1000 to 3600000'),
);

const ratio = v.pipe(
  v.string(),
  v.regex(/^(?:0|1|0?\.\d{1,6})$/, 'expected a part of all traces from 0 to 1, such as 0.01'),
  v.transform(Number),
);

/** Every variable there is, and what it may be. `terraform/` sets the ones without a default. */
const variables = {
  GOOGLE_CLOUD_PROJECT: text,
  /** Region of the functions and of the Cloud Tasks queue. */
  FUNCTION_REGION: v.optional(text, 'europe-west1'),
  /** `https://REGION-PROJECT.cloudfunctions.net`: where a delayed retry finds the functions. */
  FUNCTION_BASE_URL: httpUrl,
  /** The account whose ID token Cloud Tasks shows to a function. */
  TASKS_SERVICE_ACCOUNT: v.optional(text),
  /** `https://DOMAIN`: where the world reaches the public functions, each under its name. */
  PUBLIC_BASE_URL: httpUrl,
  /** Public address of `connect-meta`; registered at Meta as the redirect URI's base. */
  CONNECT_BASE_URL: httpUrl,
  /** What stands before the relay, which says where in X-Forwarded-For the sender is (shared/domain/client-address.ts). */
  RELAY_PROXY: v.optional(v.picklist(['serverless', 'load-balancer']), 'serverless'),
  META_GRAPH_URL: v.optional(httpUrl, 'https://graph.facebook.com'),
  META_DIALOG_URL: v.optional(httpUrl, 'https://www.facebook.com'),
  META_APP_ID: metaId,
  META_PARENT_BUSINESS_ID: metaId,
  META_LOGIN_CONFIG_ID: metaId,
  META_EXTENDED_CREDIT_ID: metaId,
  /**
   * How long a worker holds a provisioning step. A live worker must not lose its lease, so not below the steps' timeout;
   * a dead one is taken over after it. Shorter is safe (the fence refuses the slower of two) but wasteful.
   */
  STEP_LEASE_MS: v.optional(leaseMs, String(defaultStepLeaseMs)),
  PROVISIONING_PATH: v.optional(v.picklist(pathSettings), 'auto'),
  LOG_LEVEL: v.optional(v.picklist(['debug', 'info', 'warn', 'error', 'silent']), 'info'),
  /** The part of traces that is recorded, 0 to 1. Off, no span is made and no exporter loaded (shared/runtime/tracing.ts). */
  TRACE_SAMPLE_RATIO: v.optional(ratio, '0'),
  /** The function's name, as Cloud Run sets it: what spans are said to be of. */
  K_SERVICE: v.optional(text, 'local'),
  FIRESTORE_EMULATOR_HOST: hostAndPort,
  PUBSUB_EMULATOR_HOST: hostAndPort,
  /** An address, as Google's client wants it; that client reads it by itself, as it does the Firestore one. */
  STORAGE_EMULATOR_HOST: v.optional(httpUrl),
  SECRET_MANAGER_EMULATOR_HOST: hostAndPort,
  CLOUD_TASKS_EMULATOR_HOST: hostAndPort,
  /** A DNS server to ask instead of the machine's own. */
  DNS_EMULATOR_HOST: hostAndPort,
  /** An address: that client reads it by itself and puts its paths straight behind it. */
  BIGQUERY_EMULATOR_HOST: v.optional(httpUrl),
  GA4_EMULATOR_HOST: hostAndPort,
  /** Takes spans over OTLP (HTTP, JSON) instead of Google's Telemetry API. */
  TRACE_EMULATOR_HOST: hostAndPort,
  /** Location of the BigQuery datasets. */
  BIGQUERY_LOCATION: v.optional(text, 'EU'),
} as const;

/** What the runtime reads for every function, so that no manifest names it. */
export const runtimeVariables = ['TRACE_SAMPLE_RATIO', 'K_SERVICE', 'TRACE_EMULATOR_HOST'] as const;

export type VariableName = keyof typeof variables;
export type Config<Name extends VariableName> = { readonly [Key in Name]: v.InferOutput<(typeof variables)[Key]> };

/** Lists every variable that is missing or wrong; it never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The environment is not complete:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads the named variables.
 *
 * @throws ConfigError naming every variable that is missing or wrong, what it may be, and never its value.
 */
export function readConfig<const Name extends VariableName>(
  names: readonly Name[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config<Name> {
  const problems: string[] = [];
  const config: Partial<Record<VariableName, unknown>> = {};
  for (const name of names) {
    const given = environment[name];
    const result = v.safeParse(variables[name], given === '' ? undefined : given);
    if (result.success) config[name] = result.output;
    else
      problems.push(
        `${name} ${given === undefined || given === '' ? 'is not set' : 'is not valid'}: ${expectation(result.issues[0])}`,
      );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config as Config<Name>;
}

function expectation(issue: v.BaseIssue<unknown>): string {
  return issue.kind === 'validation' && issue.type !== 'non_empty'
    ? issue.message
    : `expected ${issue.expected ?? 'a value'}`;
}
