import { setTimeout as sleep } from 'node:timers/promises';
import { collections } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { connectFirestore } from '../../shared/gcp/firestore.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import { createSecretStore } from '../../shared/gcp/secret-store.ts';
import { functionEnvironment, googleLibraryEnvironment } from '../local/environment.ts';
import { startGoogleServices } from '../local/google-services.ts';
import { readManifests } from '../local/manifests.ts';
import { createPlatformSecrets, createQueue, createTopicsAndSubscriptions } from '../local/platform.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed as metaSeed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import { measureFairness } from './fairness.ts';
import type { Fairness } from './fairness.ts';
import { openFront } from './mortal-instances.ts';
import { seededRandom } from '../random.ts';
import { makeTraffic, poisonReason } from './traffic.ts';
import type { Sender } from './traffic.ts';
import { startTroubledMeta } from './troubled-meta.ts';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';

export interface SoakOptions {
  readonly events: number;
  readonly seed: number;
  readonly poisonEvery: number;
  readonly errorShare: number;
  readonly lostShare: number;
  readonly throttleMs: number;
  readonly instances: number;
  /** Kills of a delivering process, each at a random moment of its own stretch of the events' way; the last 5 % come to their end alone. */
  readonly kills: number;
  readonly leastMsBetweenKills: number;
  /** Without anything arriving; how fast it goes says more about the machine. */
  readonly giveUpAfterMs: number;
  readonly onProgress: (line: string) => void;
}

export interface SoakReport extends Verdict {
  readonly seconds: number;
  readonly kills: number;
  readonly messages: number;
  readonly graphCalls: { calls: number; errors: number; lost: number; throttled: number };
  readonly fairness: Fairness;
}

/**
 * Sends events through the real queue to capi-deliver in processes that are killed at random, to a Meta that fails at
 * random, and judges what arrived. Comebacks are brought forward by {@link broughtForwardMs}, so that minutes of back-off
 * do not make hours of soak; everything else takes its own time.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { onProgress } = options;
  const random = seededRandom(options.seed);
  const startedMs = Date.now();
  const google = await startGoogleServices('embedded');
  const simulator = await startSimulator({ switches: { retained_events_per_dataset: options.events * 3 } });
  const meta = await startTroubledMeta(simulator.url);
  const front = await openFront();
  const { projectId, hosts } = google;
  const addresses = { projectId, host: front.url, graph: meta.url, dialog: meta.url, dns: '127.0.0.1:53', ...hosts };
  const facts = {
    appId: metaSeed.appId,
    parentBusinessId: metaSeed.parentBusinessId,
    loginConfigId: metaSeed.loginConfigId,
    extendedCreditId: metaSeed.extendedCreditId,
  };
  const environment = functionEnvironment({ LOG_LEVEL: 'error' }, facts, addresses);
  Object.assign(process.env, environment, googleLibraryEnvironment);
  const folder = (await readManifests()).find(({ manifest }) => manifest.name === 'capi-deliver');
  if (folder === undefined || google.firestore === undefined) throw new Error('capi-deliver or Firestore is missing');
  await createTopicsAndSubscriptions(projectId, [folder], front.url);
  await createQueue(projectId, environment.FUNCTION_REGION, hosts.cloudTasks);
  const { appSecret, parentSystemUserToken: parentToken } = metaSeed;
  await createPlatformSecrets(projectId, hosts.secretManager, { appSecret, parentToken });
  const secrets = createSecretStore({ projectId, emulatorHost: hosts.secretManager, now: () => new Date() });

  const graph = new GraphCaller(simulator.url);
  const child = await graph.newChild(await graph.logIn());
  const newSender = async (tenantId: string): Promise<Sender> => {
    await secrets.add(secretName.systemToken(tenantId), child.token, {});
    return { tenantId, datasetId: await graph.newPixel(child, await graph.newAdAccount(child)) };
  };
  const [quiet, loud, soaked] = [await newSender('quiet'), await newSender('loud'), await newSender('soaked')];
  const instances = await front.serve(folder, options.instances);
  const publisher = createPublisher(projectId);
  const publish = (json: string): Promise<void> => publisher.publishJson('capi-events', json);
  onProgress(`ready after ${Math.round((Date.now() - startedMs) / 1_000)} s`);

  const accepted = () => simulator.context.events.retained(quiet.datasetId);
  const fairness = await measureFairness({ publish, quiet, loud, accepted });
  onProgress(`fairness: ${JSON.stringify(fairness)}`);

  meta.begin({ errorShare: options.errorShare, lostShare: options.lostShare, random });
  const traffic = makeTraffic(soaked, { ...options, random, nowMs: Date.now() });
  const arrived = (): number => simulator.context.events.summary(soaked.datasetId).unique;
  let kills = 0;
  const over = new AbortController();
  const killing = (async () => {
    while (kills < options.kills) {
      const due = (0.95 * traffic.good.size * (kills + random())) / options.kills;
      while (!over.signal.aborted && arrived() < due) await sleep(100);
      if (over.signal.aborted) return;
      instances.kill(Math.floor(random() * options.instances));
      kills += 1;
      await sleep(options.leastMsBetweenKills);
    }
  })();
  const publishing = (async () => {
    for (const [index, message] of traffic.messages.entries()) {
      await publish(message);
      if (index === Math.floor(traffic.messages.length / 2)) meta.throttleFor(options.throttleMs);
      const published = (traffic.good.size * (index + 1)) / traffic.messages.length;
      // So that they do not all wait at the instances from the start, however slow the machine.
      while (!over.signal.aborted && published - arrived() > mostUnderWay) await sleep(100);
    }
  })();

  const db = connectFirestore(projectId);
  // Counted, not read: what Firestore holds by the end takes seconds to copy.
  const poisonFound = async (): Promise<number> =>
    (await db.collection(collections.deadLetters).count().get()).data().count;
  let quietRounds = 0;
  let toldAtMs = Date.now();
  let moved = { events: 0, kills: 0, poison: 0, atMs: Date.now() };
  while (quietRounds < 3 && Date.now() - moved.atMs < options.giveUpAfterMs) {
    await sleep(1_000);
    await Promise.race([google.cloudTasks.runDue(broughtForwardMs), sleep(5_000)]);
    const [events, poison] = [arrived(), await poisonFound()];
    if (events > moved.events || kills > moved.kills || poison > moved.poison) {
      moved = { events, kills, poison, atMs: Date.now() };
    }
    const isThere = events >= traffic.good.size && poison >= traffic.poison.size;
    quietRounds = isThere && google.cloudTasks.pending().length === 0 ? quietRounds + 1 : 0;
    if (Date.now() - toldAtMs < 10_000) continue;
    toldAtMs = Date.now();
    const seconds = Math.round((toldAtMs - startedMs) / 1_000);
    const waits = google.cloudTasks
      .pending()
      .map(({ scheduleTimeMs }) => Math.round((scheduleTimeMs - Date.now()) / 1_000));
    const [next, last] = [Math.min(...waits), Math.max(...waits)];
    const tasks = waits.length === 0 ? 'none waits' : `${waits.length} wait, the next ${next} s, the last ${last} s`;
    onProgress(`${seconds} s: ${arrived()} of ${traffic.good.size} events, ${kills} kills, ${tasks}`);
  }
  over.abort();
  await publishing;
  await killing;
  const documents = google.firestore.dump();
  const taken = simulator.context.events.retained(soaked.datasetId);
  const { violations, ...verdict } = judge(soaked.datasetId, traffic, taken, documents, poisonReason);
  const missed = kills < options.kills ? [`only ${kills} of ${options.kills} kills met events on their way`] : [];
  const report = {
    seconds: Math.round((Date.now() - startedMs) / 1_000),
    kills,
    messages: traffic.messages.length,
    graphCalls: { ...meta.counts },
    fairness,
    ...verdict,
    violations: [...missed, ...violations],
  };
  await instances.close();
  await db.terminate();
  await publisher.close();
  await secrets.close();
  await front.close();
  await meta.close();
  await simulator.close();
  await google.close();
  return report;
}

/** Events published and not yet at Meta. */
const mostUnderWay = 15_000;

/** How much earlier than asked a comeback is delivered. */
const broughtForwardMs = 20_000;
