/**
 * Onboards tenants from consent to live in this process, fifty at a time, each with a person and a Page of their own, and
 * counts: `node test/bench/saga-tenants.ts N`. The last line is the report as JSON. The product's functions, Google's
 * Firestore client, the embedded engine and the simulator all run here (test/faults/in-process-services.ts).
 */
import { paths } from '../../shared/contracts/documents.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { startInProcessServices } from '../faults/in-process-services.ts';
import { seedConnectedTenant } from '../faults/connected-tenant.ts';
import type { Crossing } from '../faults/process-life.ts';
import { userTokenOf } from '../faults/simulated-client.ts';

export interface SagaCosts {
  readonly tenants: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Processor time per tenant of each cohort, in order. */
  readonly cohortMs: readonly number[];
  readonly peakRssBytes: number;
  readonly firestoreReads: number;
  readonly firestoreWrites: number;
  readonly firestoreDeletes: number;
  readonly graphCalls: number;
  readonly secretReads: number;
  readonly secretWrites: number;
  readonly messages: number;
}

const cohortSize = 50;
const inOrder = { times: 1, reversed: false };

/** Onboards them; throws when one does not go live. */
export async function onboardTenants(tenants: number): Promise<SagaCosts> {
  const services = await startInProcessServices();
  const { clock, db, openSecrets, simulator } = services;
  const counts = { reads: 0, writes: 0, deletes: 0, graphCalls: 0, secretReads: 0, secretWrites: 0, messages: 0 };
  const world = await services.cleanWorld({ atCrossing: (crossing) => count(crossing, counts) });
  const secrets = openSecrets();
  const startedMs = performance.now();
  const cohortMs: number[] = [];
  for (let first = 0; first < tenants; first += cohortSize) {
    const before = process.cpuUsage();
    const slugs = Array.from({ length: Math.min(cohortSize, tenants - first) }, (_, index) => `shop-${first + index}`);
    for (const slug of slugs) {
      const page = { name: slug, website: `https://${slug}.example`, instagram: slug };
      const person = simulator.store.addPerson({ name: slug, pages: [page] }, clock.now.getTime());
      const userToken = await userTokenOf(simulator.url, person.id);
      const userTokenVersion = await secrets.add(secretName.userToken(slug), userToken, {});
      const [pageId = null] = person.pageTasks.keys();
      const connection = { metaUserId: person.id, pageId, userTokenVersion };
      await seedConnectedTenant(db, { slug, domains: [`${slug}.example`] }, connection, clock.now);
      world.connect(slug);
    }
    await world.run(slugs, inOrder);
    for (const slug of slugs) {
      const status: unknown = (await db.doc(paths.tenant(slug)).get()).get('status');
      if (status !== 'live') throw new Error(`${slug} is ${String(status)}`);
    }
    const { user, system } = process.cpuUsage(before);
    cohortMs.push((user + system) / 1_000 / slugs.length);
  }
  const wallSeconds = (performance.now() - startedMs) / 1_000;
  await world.close();
  await services.close();
  const { user, system } = process.cpuUsage();
  return {
    tenants,
    wallSeconds,
    cpuSeconds: (user + system) / 1e6,
    cohortMs,
    peakRssBytes: process.resourceUsage().maxRSS * 1_024,
    firestoreReads: counts.reads,
    firestoreWrites: counts.writes,
    firestoreDeletes: counts.deletes,
    graphCalls: counts.graphCalls,
    secretReads: counts.secretReads,
    secretWrites: counts.secretWrites,
    messages: counts.messages,
  };
}

/** As Firestore bills: a document read, or one for a query that finds none; a document written; a document deleted. */
function count(crossing: Crossing, counts: Record<string, number>): void {
  const add = (name: string, number: number): void => void (counts[name] = (counts[name] ?? 0) + number);
  const { place, when, name, writes, request, documents } = crossing;
  if (place === 'publish' && when === 'before') add('messages', 1);
  if (place === 'graph' && when === 'before') add('graphCalls', 1);
  if (place === 'secrets' && when === 'before') add(writes ? 'secretWrites' : 'secretReads', 1);
  if (place !== 'firestore' || when !== 'after') return;
  if (documents !== undefined) add('reads', name === 'runQuery' ? Math.max(1, documents) : documents);
  if (!writes) return;
  for (const write of (request as { writes?: { delete?: unknown }[] }).writes ?? [])
    add(write.delete ? 'deletes' : 'writes', 1);
}

if (import.meta.main) {
  process.stdout.write(`${JSON.stringify(await onboardTenants(Number(process.argv[2])))}\n`);
  process.exit(0);
}
