/**
 * One tenant's onboarding under full control: the real step functions, the real stores on the embedded Firestore and
 * Secret Manager, the real Graph client against the simulator, and a delivery that the test decides. A message is
 * delivered when the test says so, as often and in whatever order it says; time moves only when nothing else can happen;
 * and a process can die after any call to Meta.
 */
import { randomBytes } from 'node:crypto';
import type { CloudEvent } from '@google-cloud/functions-framework';
import type { Firestore } from '@google-cloud/firestore';
import { createCatalogStep } from '../../functions/provisioning/08a-create-catalog/create-catalog.ts';
import { createAdAccountStep } from '../../functions/provisioning/04-create-ad-account/create-ad-account.ts';
import { createChildBusinessStep } from '../../functions/provisioning/02-create-child-business/create-child-business.ts';
import { createPixelStep } from '../../functions/provisioning/05-create-pixel/create-pixel.ts';
import { createSystemUser } from '../../functions/provisioning/03-create-system-user/create-system-user.ts';
import { finishRun } from '../../functions/provisioning/90-finish-run/finish-run.ts';
import { partnerInvite } from '../../functions/provisioning/05b-partner-invite/partner-invite.ts';
import { linkPageAndInstagram } from '../../functions/provisioning/06-link-page-and-instagram/link-page-and-instagram.ts';
import { prepareOfflineEvents } from '../../functions/provisioning/08b-prepare-offline-events/prepare-offline-events.ts';
import { recordConsent } from '../../functions/provisioning/01-record-consent/record-consent.ts';
import { shareCreditLineStep } from '../../functions/provisioning/03b-share-credit-line/share-credit-line.ts';
import { migrateFallback } from '../../functions/provisioning/10-migrate-fallback/migrate-fallback.ts';
import { startRun } from '../../functions/provisioning/00-start-run/start-run.ts';
import { verifyDomain } from '../../functions/provisioning/09-verify-domain/verify-domain.ts';
import { resumeWaits } from '../../functions/ops/resume-waits/resume-waits.ts';
import { sweepOutbox } from '../../functions/ops/outbox-sweeper/sweep-outbox.ts';
import type { ProvisioningServices, StepFactory } from '../../functions/provisioning/services.ts';
import { collections, paths } from '../../shared/contracts/documents.ts';
import type { OutboxMessage, StepRecord, Tenant } from '../../shared/contracts/documents.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import type { PathSetting } from '../../shared/domain/provisioning-path.ts';
import { stepNames } from '../../shared/domain/provisioning-steps.ts';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';
import { DeadLetterStore } from '../../shared/gcp/dead-letter-store.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import { PathChange } from '../../shared/gcp/path-change.ts';
import type { PathChanged } from '../../shared/gcp/path-change.ts';
import type { Publisher } from '../../shared/gcp/publisher.ts';
import { createReadinessReader } from '../../shared/gcp/readiness-reader.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import { StepStore } from '../../shared/gcp/step-store.ts';
import { WaitControl } from '../../shared/gcp/wait-control.ts';
import { TenantChanges } from '../../shared/gcp/tenant-changes.ts';
import { TenantStore } from '../../shared/gcp/tenant-store.ts';
import { createTenantReader } from '../../shared/gcp/tenant-reader.ts';
import { TeardownStore } from '../../shared/gcp/teardown-store.ts';
import { TenantEnding } from '../../shared/gcp/tenant-ending.ts';
import { eraseTenantDocuments } from '../../shared/gcp/tenant-erasure.ts';
import { closeRelay } from '../../shared/gcp/relay-door.ts';
import { tearDown } from '../../functions/offboarding/tear-down.ts';
import { TokenLease } from '../../shared/gcp/token-lease.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { askPermit } from '../../shared/runtime/call-permit.ts';
import { noteCallTrace } from '../../shared/runtime/call-traces.ts';
import { pubsubFunction } from '../../shared/runtime/pubsub-function.ts';
import { defaultStepLeaseMs as leaseMs } from '../../shared/runtime/config.ts';
import { stepFunction } from '../../shared/runtime/step-function.ts';
import type { StepDependencies } from '../../shared/runtime/step-function.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { createTokenMint } from '../../shared/runtime/token-mint.ts';
import type { Dispatcher } from 'undici';
import type { StepRef } from '../../shared/gcp/run-documents.ts';
import { CrashDispatcher } from './crash-dispatcher.ts';
import { ProcessLife } from './process-life.ts';
import type { AtCrossing } from './process-life.ts';
import { lookUpTxtIn } from './simulated-client.ts';

/** A message on its way, and how often it has been tried. */
interface Flying {
  readonly topic: string;
  readonly json: string;
}

/** How messages reach the functions. */
export interface Delivery {
  /** Copies of each message that are delivered. */
  readonly times: number;
  /** Newest first instead of oldest first. */
  readonly reversed: boolean;
  /** All copies of everything in flight at the same time, instead of one after the other. */
  readonly concurrent?: boolean;
  /** What becomes of the copies before they are delivered: another order, some more, some later. */
  readonly arrange?: <Message>(copies: Message[]) => Message[];
}

export interface OnboardingWorldOptions {
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
  /** What carries a process's calls to Meta; absent: HTTP to `graphUrl`. */
  readonly dispatcher?: (life: ProcessLife) => Dispatcher;
  /** What happens where a process touches the world; absent: nothing. */
  readonly atCrossing?: AtCrossing;
  /** The client's part: called when the tenant waits for a DNS record. */
  readonly publishDns: (what: string) => Promise<void>;
  /** Called when the tenant waits for an admin of the Page to accept a request. */
  readonly acceptPage?: () => Promise<void>;
}

const projectId = 'kobi-faults';
const wish = { reason: 'the client left', actor: 'ada', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

export class OnboardingWorld {
  readonly #options: OnboardingWorldOptions;
  readonly #queue: Flying[] = [];
  readonly #tasks: { readonly flying: Flying; readonly at: Date }[] = [];
  #process!: Process;
  /** The operator's own, which no fault of a process touches. */
  readonly #control: RunControl;
  readonly #outbox: Outbox;
  readonly #dispatchers: CrashDispatcher[] = [];
  /** The newest message of each topic that was delivered. */
  readonly #delivered = new Map<string, Flying>();
  /** Messages by topic that reached Pub/Sub. */
  readonly published = new Map<string, number>();
  /** The tenants whose rows in the warehouse were erased. */
  readonly erasedReports: string[] = [];
  /** Calls to Meta over all processes. */
  graphCalls = 0;
  deliveries = 0;
  processes = 0;

  constructor(options: OnboardingWorldOptions) {
    this.#options = options;
    const now = (): Date => options.clock.now;
    const publish = (topic: string, json: string): void => this.#publish({ topic, json });
    this.#outbox = new Outbox(options.db, {
      publishJson: async (topic, json) => publish(topic, json),
      publish: async (envelope) => publish(envelope.type, JSON.stringify(envelope)),
      close: async () => undefined,
    });
    this.#control = new RunControl({ db: options.db, outbox: this.#outbox, now, leaseMs });
    this.#startProcess(Number.POSITIVE_INFINITY);
  }

  /** The process dies after this many further calls to Meta; the next one is healthy. */
  crashAfter(calls: number): void {
    const { dispatcher } = this.#process;
    dispatcher.crashAfter = dispatcher.calls + calls;
  }

  /** A person cancels the run while this call to Meta, counted from here, is on its way. */
  cancelDuring(call: number, tenantId: string): void {
    this.during(call, () => this.cancel(tenantId));
  }

  /** A person cancels the run. */
  async cancel(tenantId: string): Promise<void> {
    const cancelled = await this.#process.ending.cancel(tenantId, wish);
    if ('messages' in cancelled) await this.#process.outbox.deliver(cancelled.messages);
  }

  /** A person offboards the tenant. */
  async offboard(tenantId: string): Promise<void> {
    const offboarded = await this.#process.ending.offboard(tenantId, wish);
    await this.#process.outbox.deliver(offboarded?.messages ?? []);
  }

  /** Something happens elsewhere while this call to Meta, counted from here, is on its way. */
  during(call: number, act: () => Promise<void>): void {
    const { dispatcher } = this.#process;
    dispatcher.during = { call: dispatcher.calls + call, act };
  }

  /** Somebody acts on the system from outside; what that announces leaves as the acting function sends it. */
  async act(
    action: (stores: Pick<Process, 'changes' | 'tenants'>) => Promise<readonly OutboxMessage[]>,
  ): Promise<void> {
    await this.#process.outbox.deliver(await action(this.#process));
  }

  /** Tells the system that the client connected. */
  connect(tenantId: string, connection = 1): void {
    const envelope: Envelope<'tenant-connected'> = {
      eventId: `${tenantId}:connected:${connection}`,
      type: 'tenant-connected',
      version: 1,
      tenantId,
      at: this.#options.clock.now.toISOString(),
      traceparent,
      data: { connection },
    };
    this.#queue.push({ topic: 'tenant-connected', json: JSON.stringify(envelope) });
  }

  /** What `connect-meta` does when the client has connected once more. */
  async connectAgain(tenantId: string, userTokenVersion: string): Promise<void> {
    const { outbox, tenants } = this.#process;
    const { metaUserId, pageId } = (await this.tenant(tenantId))?.connection ?? {};
    if (metaUserId == null || pageId === undefined) throw new Error(`${tenantId} has never connected`);
    const connected = await tenants.connect({ tenantId, metaUserId, pageId, userTokenVersion }, traceparent);
    if (connected.kind !== 'connected') throw new Error(`the connection was not taken: ${connected.kind}`);
    await outbox.deliver(connected.messages);
  }

  /** What `readiness-check` does when PRE-10 is granted: takes the tenant off the fallback path. */
  async toTwoTier(tenantId: string): Promise<PathChanged['kind']> {
    const { outbox, pathChange } = this.#process;
    const { kind, messages } = await pathChange.toTwoTier(tenantId, 'readiness-check', traceparent);
    await outbox.deliver(messages);
    return kind;
  }

  /** Delivers and lets time pass until nothing can happen any more. Bounded: a loop that never ends is a finding. */
  async run(tenants: string | readonly string[], delivery: Delivery): Promise<void> {
    const tenantIds = typeof tenants === 'string' ? [tenants] : tenants;
    for (let round = 0; round < 400; round += 1) {
      if (this.#queue.length > 0) {
        await this.#deliver(delivery);
        continue;
      }
      let hasActed = false;
      for (const tenantId of tenantIds) if (await this.#actAsClient(tenantId)) hasActed = true;
      if (hasActed) continue;
      if (!(await this.#letTimePass())) return;
    }
    throw new Error('the onboarding never came to rest');
  }

  /**
   * Leaves the present process as it is, perhaps in the middle of something, and goes on with a new one, which gets the
   * messages that were to come after it.
   */
  startOther(): void {
    this.#queue.push(...this.#batch.splice(0));
    this.#startProcess(Number.POSITIVE_INFINITY);
  }

  /** Pub/Sub delivers the topic's newest message once more, whatever became of the first delivery. */
  async deliverAgain(topic: string): Promise<void> {
    const flying = this.#delivered.get(topic);
    if (flying !== undefined) await this.#deliverOne(flying);
  }

  /** What steers runs from outside: an operator's view. */
  get control(): RunControl {
    return this.#control;
  }

  /** An operator's decision about a step, and the messages it causes. */
  async redrive(ref: StepRef, actor: string): Promise<boolean> {
    const messages = await this.#control.wake(ref, 'redrive', actor, traceparent);
    await this.#outbox.deliver(messages);
    return messages.length > 0;
  }

  async steps(tenantId: string, runId = 'run-1'): Promise<StepRecord[]> {
    return this.#control.readSteps(tenantId, runId);
  }

  async tenant(tenantId: string): Promise<Tenant | undefined> {
    return createTenantReader(this.#options.db)(tenantId);
  }

  /** Messages written but never published. */
  async outboxSize(): Promise<number> {
    return (await this.#options.db.collection(collections.outbox).get()).size;
  }

  async close(): Promise<void> {
    await Promise.all(this.#dispatchers.map((dispatcher) => dispatcher.destroy()));
  }

  /** Delivers what is in flight, until nothing is; time stands still. */
  async deliverAll(delivery: Delivery): Promise<void> {
    while (this.#queue.length > 0) await this.#deliver(delivery);
  }

  async #deliver({ times, reversed, concurrent = false, arrange }: Delivery): Promise<void> {
    const batch = this.#queue.splice(0);
    let copies = Array.from({ length: times }, () => batch).flat();
    if (reversed) copies.reverse();
    if (arrange !== undefined) copies = arrange(copies);
    if (concurrent) await Promise.all(copies.map((flying) => this.#deliverOne(flying)));
    else {
      this.#batch.push(...copies);
      for (let next = this.#batch.shift(); next !== undefined; next = this.#batch.shift()) await this.#deliverOne(next);
    }
  }
  /** Messages that are delivered one after the other, and have not been yet. */
  readonly #batch: Flying[] = [];

  async #deliverOne(flying: Flying): Promise<void> {
    const running = this.#process;
    this.deliveries += 1;
    this.#delivered.set(flying.topic, flying);
    const ended = await Promise.race([running.handle(flying), running.life.death]);
    // Copies of one message are one message to Pub/Sub: what was not acknowledged comes back once.
    const isBack = (): boolean => this.#queue.some(({ json }) => json === flying.json);
    if (ended !== 'acknowledged' && !isBack()) this.#queue.push(flying);
    if (ended === 'dead' && running === this.#process) this.#startProcess(Number.POSITIVE_INFINITY);
  }

  /** Publishes the DNS record, or accepts the request for the Page, once the tenant waits for it. */
  async #actAsClient(tenantId: string): Promise<boolean> {
    const runId = (await this.tenant(tenantId))?.currentRunId;
    if (!runId) return false;
    for (const { state, wait } of await this.steps(tenantId, runId)) {
      if (state !== 'waiting' || wait === null || this.#clientDid.has(`${tenantId} ${wait.for}`)) continue;
      const { acceptPage, publishDns } = this.#options;
      if (wait.for === 'dns-record') await publishDns(wait.what);
      else if (wait.for === 'page-request' && acceptPage !== undefined) await acceptPage();
      else continue;
      this.#clientDid.add(`${tenantId} ${wait.for}`);
      return true;
    }
    return false;
  }
  readonly #clientDid = new Set<string>();

  /** Moves the clock to the next task or wake-up, runs what is due, and says whether anything was. */
  async #letTimePass(): Promise<boolean> {
    const { clock } = this.#options;
    const due = [...this.#tasks.map(({ at }) => at.toISOString()), ...(await this.#wakeUps())].toSorted()[0];
    const outboxWaits = (await this.outboxSize()) > 0;
    if (due === undefined && !outboxWaits) return false;
    const target = due === undefined ? clock.now.getTime() + 60_000 : Date.parse(due);
    clock.now = new Date(Math.max(clock.now.getTime() + 1, target));
    for (const task of this.#tasks.splice(0)) {
      if (task.at <= clock.now) this.#queue.push(task.flying);
      else this.#tasks.push(task);
    }
    await this.#runJob('outbox-sweeper', ({ outbox }) => sweepOutbox({ outbox, now: () => clock.now }));
    await this.#runJob('resume-waits', ({ control, outbox, waits }) => resumeWaits({ steps: control, waits, outbox }));
    return true;
  }

  /** A scheduled job: what goes wrong with it is left to its next run. */
  async #runJob(name: string, job: (process: Process) => Promise<unknown>): Promise<void> {
    const running = this.#process;
    running.life.topic = name;
    const work = async (): Promise<void> => {
      await running.life.cross({ place: 'deliver', when: 'before', name, writes: false });
      await job(running);
    };
    const ended = await Promise.race([
      work().then(
        () => 'done' as const,
        () => 'failed' as const,
      ),
      running.life.death,
    ]);
    if (ended === 'dead' && running === this.#process) this.#startProcess(Number.POSITIVE_INFINITY);
  }

  async #wakeUps(): Promise<string[]> {
    const rows = await this.#options.db.collectionGroup('steps').where('wakeAt', '!=', null).get();
    return rows.docs.map((row) => String(row.get('wakeAt')));
  }

  #publish(flying: Flying): void {
    this.#queue.push(flying);
    this.published.set(flying.topic, (this.published.get(flying.topic) ?? 0) + 1);
  }

  /** A task of the same message for the same time exists once, as in Cloud Tasks. */
  #schedule(flying: Flying, at: Date): void {
    const isKnown = this.#tasks.some((task) => task.flying.json === flying.json && task.at.getTime() === at.getTime());
    if (!isKnown) this.#tasks.push({ flying, at });
  }

  #startProcess(crashAfter: number): void {
    this.processes += 1;
    const life = new ProcessLife(this.#options.atCrossing);
    const observer = { onCall: () => void (this.graphCalls += 1), onCrash: () => life.die() };
    const dispatcher = new CrashDispatcher(observer, this.#options.dispatcher?.(life));
    dispatcher.crashAfter = crashAfter;
    this.#dispatchers.push(dispatcher);
    this.#process = new Process(
      this.#options,
      dispatcher,
      life,
      (flying) => this.#publish(flying),
      (flying, at) => this.#schedule(flying, at),
      async (tenantId) => void this.erasedReports.push(tenantId),
    );
  }
}

/** One instance of every function: its own clients and caches, gone when it dies. */
class Process {
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
    options: OnboardingWorldOptions,
    dispatcher: CrashDispatcher,
    life: ProcessLife,
    publish: (flying: Flying) => void,
    schedule: (flying: Flying, at: Date) => void,
    eraseReports: (tenantId: string) => Promise<void>,
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

  async handle(flying: Flying): Promise<'acknowledged' | 'not acknowledged'> {
    const run = this.#functions.get(flying.topic);
    if (run === undefined) throw new Error(`nobody subscribes to ${flying.topic}`);
    this.life.topic = flying.topic;
    await this.life.cross({ place: 'deliver', when: 'before', name: flying.topic, writes: false });
    const data = { message: { data: Buffer.from(flying.json).toString('base64'), messageId: '1' } };
    const ended = await run({ specversion: '1.0', id: '1', source: 'pubsub', type: 'message', data }).then(
      () => 'acknowledged' as const,
      () => 'not acknowledged' as const,
    );
    await this.life.cross({ place: 'acknowledge', when: 'before', name: flying.topic, writes: false });
    return ended;
  }
}

/** A tenant that has accepted the terms and connected, as `tenant-api` and `connect-meta` leave it. */
export async function seedConnectedTenant(
  db: Firestore,
  tenant: Pick<Tenant, 'slug' | 'domains'> & Partial<Tenant>,
  connection: { metaUserId: string; pageId: string | null; userTokenVersion?: string },
  at: Date,
): Promise<void> {
  const document: Tenant = {
    tenantId: tenant.slug,
    name: 'Acme Shop',
    planId: 'starter',
    vertical: 'ecommerce',
    skus: ['ecommerce', 'crm'],
    domainVerification: 'auto',
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    status: 'terms-accepted',
    createdAt: at.toISOString(),
    createdBy: 'faults',
    terms: { tos: true, dataSharing: true, acceptedBy: 'owner', acceptedAt: at.toISOString() },
    connection: {
      number: 1,
      userTokenVersion: '1',
      connectedAt: at.toISOString(),

      ...connection,
    },
    currentRunId: null,
    ...tenant,
  };
  await db.doc(paths.tenant(document.tenantId)).set(document);
  await db.doc(paths.readiness()).set({ pre2: true, pre8: true, pre10: true });
}
