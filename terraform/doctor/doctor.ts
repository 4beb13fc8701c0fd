import { PubSub } from '@google-cloud/pubsub';
import { CloudTasksClient } from '@google-cloud/tasks';
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';
import { paths } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createReadinessReader } from '../../shared/gcp/readiness-reader.ts';
import { localEndpoint } from '../../shared/gcp/local-endpoint.ts';
import { createSecretStore } from '../../shared/gcp/secret-store.ts';
import type { SecretStore } from '../../shared/gcp/secret-store.ts';
import { googleUniverse } from '../../shared/gcp/universe.ts';
import { GraphError } from '../../shared/meta/errors.ts';
import { systemNow } from '../../shared/runtime/clock.ts';
import type { Config } from '../../shared/runtime/config.ts';
import { delayedRetryQueue } from '../../shared/runtime/delayed-retry.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { checkDeauthorize, checkSubscription, subscribe } from './check-callbacks.ts';
import type { CallbackFacts } from './check-callbacks.ts';
import { checkApis, checkHealth } from './check-google.ts';
import type { GoogleGet } from './check-google.ts';
import { checkPubsub, checkQueue } from './check-messaging.ts';
import { checkMeta } from './check-meta.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkWebhook } from './check-webhook.ts';
import { notChecked, ok, told, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

/** The variables that say which environment is looked at. */
export const doctorVariables = [
  'GOOGLE_CLOUD_PROJECT',
  'FUNCTION_REGION',
  'FUNCTION_BASE_URL',
  'PUBLIC_BASE_URL',
  'META_GRAPH_URL',
  'META_APP_ID',
  'META_PARENT_BUSINESS_ID',
  'SECRET_MANAGER_EMULATOR_HOST',
  'CLOUD_TASKS_EMULATOR_HOST',
] as const;

export interface DoctorOptions {
  readonly config: Config<(typeof doctorVariables)[number]>;
  readonly manifests: readonly FunctionManifest[];
  /** The APIs of `terraform/apis.tf`. */
  readonly apis: readonly string[];
  /** `Bearer …` that tenant-api takes; a reason where there is none. */
  readonly authorization: string | { readonly missing: string };
  /** Google's REST APIs; a reason where they are not to be asked. */
  readonly google: GoogleGet | { readonly missing: string };
}

const webhookFunction = 'meta-webhook';

/** Looks at everything, changes nothing, and never throws: what cannot be looked at is a finding too. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { config, manifests } = options;
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const secrets = createSecretStore({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, now: systemNow });
  const tasks = new CloudTasksClient({
    projectId,
    ...googleUniverse,
    ...(await localEndpoint(config.CLOUD_TASKS_EMULATOR_HOST)),
  });
  const pubsub = new PubSub({ projectId, ...googleUniverse });
  const platformSecrets = [...new Set(manifests.flatMap((manifest) => manifest.secrets))]
    .filter((name) => !name.includes('{tenant}'))
    .toSorted();
  const credentials = createTenantCredentials({ secrets });
  const callbacks = callbackFacts(options);
  try {
    const verifyToken = await readVerifyToken(secrets).catch(() => undefined);
    const found = await Promise.all([
      'missing' in options.google
        ? notChecked('Google APIs', options.google.missing)
        : checkApis(options.google, projectId, options.apis),
      checkDatabase(projectId),
      checkSecrets(secrets, platformSecrets, projectId),
      checkPubsub(pubsub, manifests),
      checkQueue(tasks, tasks.queuePath(projectId, config.FUNCTION_REGION, delayedRetryQueue)),
      typeof options.authorization === 'string'
        ? checkHealth(`${config.FUNCTION_BASE_URL}/tenant-api/health`, options.authorization)
        : notChecked('permissions of tenant-api', options.authorization.missing),
      checkMeta(
        {
          graphUrl: config.META_GRAPH_URL,
          appId: config.META_APP_ID,
          parentBusinessId: config.META_PARENT_BUSINESS_ID,
        },
        credentials,
      ),
      checkWebhook(callbacks.webhookUrl, verifyToken),
      checkSubscription(callbacks, credentials),
      checkDeauthorize(callbacks, credentials),
    ]);
    return found.flat();
  } finally {
    await Promise.allSettled([secrets.close(), tasks.close(), pubsub.close()]);
  }
}

/**
 * Subscribes the app at Meta to the webhooks this environment takes. The one thing here that changes something.
 *
 * @returns what kept it from that; undefined when Meta took it
 */
export async function subscribeWebhooks(
  options: Pick<DoctorOptions, 'config' | 'manifests'>,
): Promise<string | undefined> {
  const { config } = options;
  const secrets = createSecretStore({
    projectId: config.GOOGLE_CLOUD_PROJECT,
    emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST,
    now: systemNow,
  });
  const facts = callbackFacts(options);
  const { webhookUrl } = facts;
  try {
    if (webhookUrl === undefined) return 'this build has no function meta-webhook';
    const verifyToken = await readVerifyToken(secrets);
    if (verifyToken === undefined) return `the secret ${secretName.webhookVerifyToken} has no version`;
    await subscribe({ ...facts, webhookUrl }, createTenantCredentials({ secrets }), verifyToken);
    return undefined;
  } catch (error) {
    const advice = error instanceof GraphError && error.advice !== undefined ? ` ${error.advice}` : '';
    return `${told(error)}.${advice}`;
  } finally {
    await secrets.close();
  }
}

function callbackFacts({ config, manifests }: Pick<DoctorOptions, 'config' | 'manifests'>): CallbackFacts {
  const isBuilt = manifests.some(({ name }) => name === webhookFunction);
  const at = (path: string): string | undefined =>
    isBuilt ? `${config.PUBLIC_BASE_URL}/${webhookFunction}${path}` : undefined;
  return {
    graphUrl: config.META_GRAPH_URL,
    appId: config.META_APP_ID,
    webhookUrl: at('/ads'),
    deauthorizeUrl: at('/deauthorize'),
  };
}

/** The text agreed with Meta; undefined where nobody has put one. */
async function readVerifyToken(secrets: Pick<SecretStore, 'latest'>): Promise<string | undefined> {
  return (await secrets.latest(secretName.webhookVerifyToken))?.value.trim() || undefined;
}

/** The database, and what Kobi said there about its own preconditions at Meta. */
async function checkDatabase(projectId: string): Promise<Finding[]> {
  const db = connectFirestore(projectId);
  try {
    const isWritten = (await db.doc(paths.readiness()).get()).exists;
    const readiness = await createReadinessReader(db)();
    const pending = Object.entries(readiness).flatMap(([name, isMet]) =>
      isMet ? [] : name.toUpperCase().replace('PRE', 'PRE-'),
    );
    const reached = ok('database', 'can be read');
    if (!isWritten) {
      const mend = `Write the document ${paths.readiness()} {pre2, pre8, pre10}: what Meta has granted Kobi; see terraform/GO-LIVE.md.`;
      return [reached, wrong('preconditions at Meta', 'nobody has said which are met, so none counts as met', mend)];
    }
    const says = pending.length === 0 ? 'all met' : `${pending.join(', ')} pending: runs that need them wait`;
    return [reached, ok('preconditions at Meta', says)];
  } catch (error) {
    const mend =
      'terraform -chdir=terraform apply makes the database; whoever runs the doctor needs roles/datastore.viewer.';
    return [wrong('database', `cannot be read: ${told(error)}`, mend)];
  } finally {
    await db.terminate();
  }
}

/** The findings for a person: what is wrong first is last, next to the prompt. */
export function report(findings: readonly Finding[]): string {
  const marks = { ok: 'ok          ', wrong: 'WRONG       ', 'not-checked': 'not checked:' } as const;
  const order = ['ok', 'not-checked', 'wrong'] as const;
  const lines = order.flatMap((state) =>
    findings
      .filter((finding) => finding.state === state)
      .map(
        ({ subject, says, mend }) =>
          `${marks[state]} ${subject}: ${says}${mend === undefined ? '' : `\n             → ${mend}`}`,
      ),
  );
  const problems = findings.filter(({ state }) => state === 'wrong').length;
  return [
    ...lines,
    problems === 0 ? 'Nothing is wrong.' : `${problems} ${problems === 1 ? 'thing is' : 'things are'} wrong.`,
    '',
  ].join('\n');
}
