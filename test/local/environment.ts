/** The variables the functions read, as the local stack sets them. */
import { defaultStepLeaseMs, readConfig } from '../../shared/runtime/config.ts';
import type { VariableName } from '../../shared/runtime/config.ts';
import { serviceAccountEmail } from './gateway.ts';

/** Facts of the Meta app and of Kobi's parent business; the simulator's seed unless the environment says otherwise. */
export interface MetaFacts {
  readonly appId: string;
  readonly parentBusinessId: string;
  readonly loginConfigId: string;
  readonly extendedCreditId: string;
}

export interface Addresses {
  readonly projectId: string;
  readonly host: string;
  readonly graph: string;
  readonly dialog: string;
  readonly firestore: string;
  readonly pubsub: string;
  readonly secretManager: string;
  readonly storage: string;
  readonly cloudTasks: string;
  readonly dns: string;
  readonly bigQuery: string;
  readonly ga4: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a person may set before starting; everything else belongs to the stack. */
const overridable = [
  'META_APP_ID',
  'META_PARENT_BUSINESS_ID',
  'META_LOGIN_CONFIG_ID',
  'META_EXTENDED_CREDIT_ID',
  'META_GRAPH_URL',
  'META_DIALOG_URL',
  'STEP_LEASE_MS',
  'PROVISIONING_PATH',
  'FUNCTION_REGION',
  'LOG_LEVEL',
  'TRACE_SAMPLE_RATIO',
  'TRACE_EMULATOR_HOST',
] as const satisfies readonly VariableName[];

/**
 * Checks what a person set, before anything starts.
 *
 * @throws ConfigError listing every variable that is wrong
 */
export function checkGivenVariables(given: Environment): void {
  readConfig(
    overridable.filter((name) => isSet(given[name])),
    given,
  );
}

/** Every variable of the functions: what a person set, else the simulator's facts, and the addresses of this stack. */
export function functionEnvironment(given: Environment, meta: MetaFacts, at: Addresses): Record<VariableName, string> {
  const chosen = (name: (typeof overridable)[number], otherwise: string): string => {
    const value = given[name];
    return isSet(value) ? value : otherwise;
  };
  return {
    GOOGLE_CLOUD_PROJECT: at.projectId,
    FUNCTION_REGION: chosen('FUNCTION_REGION', 'europe-west1'),
    FUNCTION_BASE_URL: at.host,
    TASKS_SERVICE_ACCOUNT: serviceAccountEmail,
    PUBLIC_BASE_URL: at.host,
    CONNECT_BASE_URL: `${at.host}/connect-meta`,
    RELAY_PROXY: 'serverless',
    META_GRAPH_URL: at.graph,
    META_DIALOG_URL: at.dialog,
    META_APP_ID: chosen('META_APP_ID', meta.appId),
    META_PARENT_BUSINESS_ID: chosen('META_PARENT_BUSINESS_ID', meta.parentBusinessId),
    META_LOGIN_CONFIG_ID: chosen('META_LOGIN_CONFIG_ID', meta.loginConfigId),
    META_EXTENDED_CREDIT_ID: chosen('META_EXTENDED_CREDIT_ID', meta.extendedCreditId),
    STEP_LEASE_MS: chosen('STEP_LEASE_MS', String(defaultStepLeaseMs)),
    PROVISIONING_PATH: chosen('PROVISIONING_PATH', 'auto'),
    LOG_LEVEL: chosen('LOG_LEVEL', 'warn'),
    TRACE_SAMPLE_RATIO: chosen('TRACE_SAMPLE_RATIO', '0'),
    TRACE_EMULATOR_HOST: chosen('TRACE_EMULATOR_HOST', ''),
    K_SERVICE: 'local',
    FIRESTORE_EMULATOR_HOST: at.firestore,
    PUBSUB_EMULATOR_HOST: at.pubsub,
    STORAGE_EMULATOR_HOST: at.storage,
    SECRET_MANAGER_EMULATOR_HOST: at.secretManager,
    CLOUD_TASKS_EMULATOR_HOST: at.cloudTasks,
    DNS_EMULATOR_HOST: at.dns,
    BIGQUERY_EMULATOR_HOST: at.bigQuery,
    GA4_EMULATOR_HOST: at.ga4,
    BIGQUERY_LOCATION: 'EU',
  };
}

/** Google's libraries: no metadata server is near, and no credentials of this machine are wanted. */
export const googleLibraryEnvironment = {
  METADATA_SERVER_DETECTION: 'none',
  GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'googleapis.com',
} as const;

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
