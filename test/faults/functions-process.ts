/** Every function of the onboarding and the offboarding in one process, with the real stores and clients it starts with. */
import { randomBytes } from 'node:crypto';
import type { Firestore } from '@google-cloud/firestore';
import type { CloudEvent } from '@google-cloud/functions-framework';
import { tearDown } from '../../functions/offboarding/tear-down.ts';
import { startRun } from '../../functions/provisioning/00-start-run/start-run.ts';
import { recordConsent } from '../../functions/provisioning/01-record-consent/record-consent.ts';
import { createChildBusinessStep } from '../../functions/provisioning/02-create-child-business/create-child-business.ts';
import { createSystemUser } from '../../functions/provisioning/03-create-system-user/create-system-user.ts';
import { shareCreditLineStep } from '../../functions/provisioning/03b-share-credit-line/share-credit-line.ts';
import { createAdAccountStep } from '../../functions/provisioning/04-create-ad-account/create-ad-account.ts';
import { createPixelStep } from '../../functions/provisioning/05-create-pixel/create-pixel.ts';
import { partnerInvite } from '../../functions/provisioning/05b-partner-invite/partner-invite.ts';
import { linkPageAndInstagram } from '../../functions/provisioning/06-link-page-and-instagram/link-page-and-instagram.ts';
import { createCatalogStep } from '../../functions/provisioning/08a-create-catalog/create-catalog.ts';
import { prepareOfflineEvents } from '../../functions/provisioning/08b-prepare-offline-events/prepare-offline-events.ts';
import { verifyDomain } from '../../functions/provisioning/09-verify-domain/verify-domain.ts';
import { migrateFallback } from '../../functions/provisioning/10-migrate-fallback/migrate-fallback.ts';
import { finishRun } from '../../functions/provisioning/90-finish-run/finish-run.ts';
import type { ProvisioningServices, StepFactory } from '../../functions/provisioning/services.ts';
import { paths } from '../../shared/contracts/documents.ts';
import type { PathSetting } from '../../shared/domain/provisioning-path.ts';
import { stepNames } from '../../shared/domain/provisioning-steps.ts';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { PathChange } from '../../shared/gcp/path-change.ts';
import type { Publisher } from '../../shared/gcp/publisher.ts';
import { createReadinessReader } from '../../shared/gcp/readiness-reader.ts';
import { closeRelay } from '../../shared/gcp/relay-door.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import { StepStore } from '../../shared/gcp/step-store.ts';
import { TeardownStore } from '../../shared/gcp/teardown-store.ts';
import { TenantChanges } from '../../shared/gcp/tenant-changes.ts';
import { TenantEnding } from '../../shared/gcp/tenant-ending.ts';
import { eraseTenantDocuments } from '../../shared/gcp/tenant-erasure.ts';
import { createTenantReader } from '../../shared/gcp/tenant-reader.ts';
import { TenantStore } from '../../shared/gcp/tenant-store.ts';
import { TokenLease } from '../../shared/gcp/token-lease.ts';
import { WaitControl } from '../../shared/gcp/wait-control.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { askPermit } from '../../shared/runtime/call-permit.ts';
import { noteCallTrace } from '../../shared/runtime/call-traces.ts';
import { defaultStepLeaseMs as leaseMs } from '../../shared/runtime/config.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { pubsubFunction } from '../../shared/runtime/pubsub-function.ts';
import { stepFunction } from '../../shared/runtime/step-function.ts';
import type { StepDependencies } from '../../shared/runtime/step-function.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { createTokenMint } from '../../shared/runtime/token-mint.ts';
import type { CrashDispatcher } from './crash-dispatcher.ts';
import type { Message } from './messages-in-flight.ts';
import type { ProcessLife } from './process-life.ts';
import { lookUpTxtIn } from './simulated-client.ts';

const projectId = 'kobi-faults';

export interface ProcessOptions {
  readonly db: Firestore;
  /** A fresh reader per process, so that a new process remembers nothing. */
  readonly openSecrets: (life: ProcessLife) => SecretStore & SecretVersions;
  readonly graphUrl: string;
  readonly kobi: ProvisioningServices['kobi'];
  readonly clock: { now: Date };
  /** `PROVISIONING_PATH`; absent: auto. */
  readonly pathSetting?: PathSetting;
  /** Gets every log line of the functions; none are made unless asked for. */
  readonly onLogLine?: (line: string) => void;
  /** A Firestore client per process; absent: `db` for all. */
  readonly connect?: (life: ProcessLife) => Firestore;
}

/** What leaves the process, each time it does. */
export interface Outside {
  readonly publish: (message: Message) => void;
  /** A delayed retry: the same message again at this time. */
  readonly schedule: (message: Message, at: Date) => void;
  readonly eraseReports: (tenantId: string) => Promise<void>;
}

/** One instance of every function: its own clients and caches, gone when it dies. */
export class FunctionsProcess {
  readonly dispatcher: CrashDispatcher;
  readonly life: ProcessLife;
  readonly control: RunControl;
  readonly pathChange: PathChange;
  readonly changes: TenantChanges;
  readonly tenants: TenantStore;
  readonly waits: WaitControl;
  readonly ending: TenantEnding;
  readonly outbox: Outbox;
  readonly #functions: Map<string, (event: CloudEvent<unknown>) => Promise<void>>;

  constructor(
    options: ProcessOptions,
    dispatcher: CrashDispatcher,
    life: ProcessLife,
    { eraseReports, publish, schedule }: Outside,
  ) {
    this.dispatcher = dispatcher;
    this.life = life;
    const { clock } = options;
    const db = options.connect?.(life) ?? options.db;
    const now = (): Date => clock.now;
    const publishJson = async (topic: string, json: string): Promise<void> => {
      await life.cross({ place: 'publish', when: 'before', name: topic, writes: true });
      publish({ topic, json });
      await life.cross({ place: 'publish', when: 'after', name: topic, writes: true });
    };
    const publisher: Publisher = {
      publishJson,
      publish: (envelope) => publishJson(envelope.type, JSON.stringify(envelope)),
      close: async () => undefined,
    };
    this.outbox = new Outbox(db, publisher);
    const runs = { db, outbox: this.outbox, now, leaseMs };
    this.control = new RunControl(runs);
    this.ending = new TenantEnding(runs);
    this.pathChange = new PathChange(runs);
    this.changes = new TenantChanges(runs);
    this.tenants = new TenantStore(runs);
    this.waits = new WaitControl(runs);
    const secrets = options.openSecrets(life);
    const credentials = createTenantCredentials({ secrets });
    const graph = createGraphClient({
      baseUrl: options.graphUrl,
      appSecret: () => credentials.appSecret(),
      now: () => clock.now.getTime(),
      dispatcher,
      sleep: async () => undefined,
      random: () => 0,
      beforeCall: askPermit,
      onCall: ({ fbtraceId }) => noteCallTrace(fbtraceId),
    });
    const services: ProvisioningServices = {
      graph,
      credentials,
      secrets,
      systemTokens: createTokenMint({
        lease: new TokenLease({ db, now }),
        secrets,
        graph,
        credentials,
        appId: options.kobi.appId,
        now,
        sleep: async () => undefined,
      }),
      kobi: options.kobi,
      readiness: createReadinessReader(db),
      lookUpTxt: lookUpTxtIn(options.graphUrl),
      randomBytes: (size) => randomBytes(size),
    };
    const dependencies: StepDependencies = {
      projectId,
      log: createLogger({
        level: options.onLogLine === undefined ? 'silent' : 'debug',
        functionName: 'faults',
        destination: { write: (line) => options.onLogLine?.(line) },
      }),
      now,
      deadLetters: new DeadLetterStore(db, now),
      retryAt: async (envelope, at) => schedule({ topic: envelope.type, json: JSON.stringify(envelope) }, at),
      steps: new StepStore(runs),
      outbox: this.outbox,
    };
    const teardowns = new TeardownStore({ db, now, leaseMs });
    const teardown = (topic: 'undo-run' | 'offboard-tenant') =>
      [
        topic,
        pubsubFunction(
          topic,
          () => dependencies,
          tearDown({
            teardowns,
            deliverLeftBy: (teardownId) => this.outbox.deliverLeftBy(paths.teardown(teardownId)),
            services: {
              ...services,
              facts: (tenantId) => teardowns.facts(tenantId),
              closeRelay: (tenantId, how) => closeRelay(db, tenantId, how),
              eraseReports,
              erase: (tenantId, how) => eraseTenantDocuments(db, tenantId, how),
              secrets,
              now,
            },
          }),
        ),
      ] as const;
    const step = <Step extends StepName>(name: Step, factory: StepFactory<Step>) =>
      [name, stepFunction(name, () => dependencies, factory(services))] as const;
    this.#functions = new Map<string, (event: CloudEvent<unknown>) => Promise<void>>([
      [
        'tenant-connected',
        pubsubFunction(
          'tenant-connected',
          () => dependencies,
          startRun({
            steps: this.control,
            changes: this.changes,
            pathSetting: options.pathSetting ?? 'auto',
            readTenant: createTenantReader(db),
            deliver: (messages) => this.outbox.deliver(messages),
          }),
        ),
      ],
      // Whoever listens to these does nothing to the run.
      ['tenant-live', async () => undefined],
      teardown('undo-run'),
      teardown('offboard-tenant'),
      ['wait-reminder', async () => undefined],
      step('record-consent', recordConsent),
      step('create-child-business', createChildBusinessStep),
      step('create-system-user', createSystemUser),
      step('share-credit-line', shareCreditLineStep),
      step('create-ad-account', createAdAccountStep),
      step('create-pixel', createPixelStep),
      step('partner-invite', partnerInvite),
      step('link-page-and-instagram', linkPageAndInstagram),
      step('create-catalog', createCatalogStep),
      step('prepare-offline-events', prepareOfflineEvents),
      step('verify-domain', verifyDomain),
      step('migrate-fallback', migrateFallback),
      step('finish-run', finishRun),
    ]);
    for (const name of stepNames) if (!this.#functions.has(name)) throw new Error(`no function for ${name}`);
  }

  async handle(message: Message): Promise<'acknowledged' | 'not acknowledged'> {
    const run = this.#functions.get(message.topic);
    if (run === undefined) throw new Error(`nobody subscribes to ${message.topic}`);
    this.life.topic = message.topic;
    await this.life.cross({ place: 'deliver', when: 'before', name: message.topic, writes: false });
    const data = { message: { data: Buffer.from(message.json).toString('base64'), messageId: '1' } };
    const ended = await run({ specversion: '1.0', id: '1', source: 'pubsub', type: 'message', data }).then(
      () => 'acknowledged' as const,
      () => 'not acknowledged' as const,
    );
    await this.life.cross({ place: 'acknowledge', when: 'before', name: message.topic, writes: false });
    return ended;
  }
}
