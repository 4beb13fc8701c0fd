/**
 * One tenant's onboarding under full control: the real step functions, the real stores on the embedded Firestore and
 * Secret Manager, the real Graph client against the simulator, and a delivery that the test decides. A message is
 * delivered when the test says so, as often and in whatever order it says; time moves only when nothing else can happen;
 * and a process can die after any call to Meta.
 */
import type { Dispatcher } from 'undici';
import { resumeWaits } from '../../functions/ops/resume-waits/resume-waits.ts';
import { sweepOutbox } from '../../functions/ops/outbox-sweeper/sweep-outbox.ts';
import { collections } from '../../shared/contracts/documents.ts';
import type { OutboxMessage, StepRecord, Tenant } from '../../shared/contracts/documents.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import { Outbox } from '../../shared/gcp/outbox.ts';
import type { PathChanged } from '../../shared/gcp/path-change.ts';
import { RunControl } from '../../shared/gcp/run-control.ts';
import type { StepRef } from '../../shared/gcp/run-documents.ts';
import { createTenantReader } from '../../shared/gcp/tenant-reader.ts';
import { defaultStepLeaseMs as leaseMs } from '../../shared/runtime/config.ts';
import { CrashDispatcher } from './crash-dispatcher.ts';
import { FunctionsProcess } from './functions-process.ts';
import type { ProcessOptions } from './functions-process.ts';
import { MessagesInFlight } from './messages-in-flight.ts';
import type { Delivery, Message } from './messages-in-flight.ts';
import { ProcessLife } from './process-life.ts';
import type { AtCrossing } from './process-life.ts';

export interface OnboardingWorldOptions extends ProcessOptions {
  /** What carries a process's calls to Meta; absent: HTTP to `graphUrl`. */
  readonly dispatcher?: (life: ProcessLife) => Dispatcher;
  /** What happens where a process touches the world; absent: nothing. */
  readonly atCrossing?: AtCrossing;
  /** The client's part: called when the tenant waits for a DNS record. */
  readonly publishDns: (what: string) => Promise<void>;
  /** Called when the tenant waits for an admin of the Page to accept a request. */
  readonly acceptPage?: () => Promise<void>;
}

const wish = { reason: 'the client left', actor: 'ada', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;

export class OnboardingWorld {
  readonly #options: OnboardingWorldOptions;
  readonly #messages = new MessagesInFlight();
  #process!: FunctionsProcess;
  /** The operator's own, which no fault of a process touches. */
  readonly #control: RunControl;
  readonly #outbox: Outbox;
  readonly #dispatchers: CrashDispatcher[] = [];
  /** The waits upon which the client has acted already. */
  readonly #clientDid = new Set<string>();
  /** The tenants whose rows in the warehouse were erased. */
  readonly erasedReports: string[] = [];
  /** Calls to Meta over all processes. */
  graphCalls = 0;
  deliveries = 0;
  processes = 0;

  constructor(options: OnboardingWorldOptions) {
    this.#options = options;
    const now = (): Date => options.clock.now;
    const publish = (topic: string, json: string): void => this.#messages.publish({ topic, json });
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
    action: (stores: Pick<FunctionsProcess, 'changes' | 'tenants'>) => Promise<readonly OutboxMessage[]>,
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
    this.#messages.add({ topic: 'tenant-connected', json: JSON.stringify(envelope) });
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
      if (!this.#messages.isEmpty) {
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
    this.#messages.takeBack();
    this.#startProcess(Number.POSITIVE_INFINITY);
  }

  /** Pub/Sub delivers the topic's newest message once more, whatever became of the first delivery. */
  async deliverAgain(topic: string): Promise<void> {
    const message = this.#messages.newestDelivered(topic);
    if (message !== undefined) await this.#handOver(message);
  }

  /** Messages by topic that reached Pub/Sub. */
  get published(): ReadonlyMap<string, number> {
    return this.#messages.published;
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
    while (!this.#messages.isEmpty) await this.#deliver(delivery);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    await this.#messages.deliver(delivery, (message) => this.#handOver(message));
  }

  async #handOver(message: Message): Promise<void> {
    const running = this.#process;
    this.deliveries += 1;
    this.#messages.noteDelivered(message);
    const ended = await Promise.race([running.handle(message), running.life.death]);
    if (ended !== 'acknowledged') this.#messages.notAcknowledged(message);
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

  /** Moves the clock to the next task or wake-up, runs what is due, and says whether anything was. */
  async #letTimePass(): Promise<boolean> {
    const { clock } = this.#options;
    const due = [...this.#messages.dueTimes(), ...(await this.#wakeUps())].toSorted()[0];
    const outboxWaits = (await this.outboxSize()) > 0;
    if (due === undefined && !outboxWaits) return false;
    const target = due === undefined ? clock.now.getTime() + 60_000 : Date.parse(due);
    clock.now = new Date(Math.max(clock.now.getTime() + 1, target));
    this.#messages.releaseDue(clock.now);
    await this.#runJob('outbox-sweeper', ({ outbox }) => sweepOutbox({ outbox, now: () => clock.now }));
    await this.#runJob('resume-waits', ({ control, outbox, waits }) => resumeWaits({ steps: control, waits, outbox }));
    return true;
  }

  /** A scheduled job: what goes wrong with it is left to its next run. */
  async #runJob(name: string, job: (process: FunctionsProcess) => Promise<unknown>): Promise<void> {
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

  #startProcess(crashAfter: number): void {
    this.processes += 1;
    const life = new ProcessLife(this.#options.atCrossing);
    const observer = { onCall: () => void (this.graphCalls += 1), onCrash: () => life.die() };
    const dispatcher = new CrashDispatcher(observer, this.#options.dispatcher?.(life));
    dispatcher.crashAfter = crashAfter;
    this.#dispatchers.push(dispatcher);
    this.#process = new FunctionsProcess(this.#options, dispatcher, life, {
      publish: (message) => this.#messages.publish(message),
      schedule: (message, at) => this.#messages.schedule(message, at),
      eraseReports: async (tenantId) => void this.erasedReports.push(tenantId),
    });
  }
}
