/**
 * The demo: one tenant from its terms of service to live, its first events, and every schedule once. It plays the client and the operator over
 * HTTP only, so what it does a person can do with the addresses it prints.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { seed } from '../simulator/seed.ts';
import { Browser } from './browser.ts';
import { demoFeed, showCatalog } from './demo-catalog.ts';
import type { FeedService } from './demo-catalog.ts';
import { curlFor, demoSenders, sendToCollect, sendToRelay, sendWithBusinessSdk } from './demo-events.ts';
import type { DemoPrinter } from './demo-printer.ts';
import { showLater } from './demo-schedules.ts';
import type { LaterWorld, ScheduleSummary } from './demo-schedules.ts';
import { credentialOf, productOf } from './demo-vocabulary.ts';
import { Operator } from './operator.ts';
import type { TenantView } from './operator.ts';
import type { SimulatorControl } from './simulator-control.ts';

export interface DemoSummary {
  readonly tenant: string;
  readonly status: string;
  readonly steps: readonly { readonly name: string; readonly state: string; readonly ms: number | null }[];
  readonly graphCalls: number;
  readonly events: { readonly sent: number; readonly delivered: number; readonly refused: number };
  readonly catalog: { readonly items: number; readonly gate: string };
  readonly schedules?: ScheduleSummary;
  readonly ms: number;
}

export interface DemoWorld {
  /** Address before `/<function-name>`. */
  readonly url: string;
  readonly simulator: SimulatorControl;
  readonly feedService: FeedService;
  /** Absent: the demo ends with the first day. */
  readonly later?: LaterWorld;
  readonly print: DemoPrinter;
}

/** Something in the demo did not work; the message says what, and what to do about it. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}

const slug = 'acme-shop';
/** The site of the Page that the client's person consents with. */
const demoSite = seed.page.website;
/** Without any change for this long the demo gives up: locally every step takes well under a second. */
const patienceMs = 20_000;
const lookEveryMs = 50;

/** @throws DemoFailed */
export async function runDemo({ feedService, later, url, simulator, print }: DemoWorld): Promise<DemoSummary> {
  const startedMs = performance.now();
  const callsBefore = await simulator.callCount();
  const operator = new Operator(url);

  print.heading('A client becomes a tenant');
  const tenantId = await operator.createTenant({
    slug,
    name: 'Acme Shop',
    planId: 'growth',
    vertical: 'ecommerce',
    skus: ['ecommerce', 'crm'],
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    domains: [new URL(demoSite).hostname],
  });
  print.acted(
    'operator',
    `POST /tenant-api/tenants                ${tenantId}, plan growth, TRY, SKUs ecommerce and crm`,
  );
  const connectUrl = await operator.acceptTerms(tenantId, 'demo-marketer');
  print.acted('client', 'accepts the terms of service and the data sharing agreement');
  const page = await new Browser().open(connectUrl, approveInDialog);
  if (page.status !== 200 || !page.title.startsWith('Connected')) {
    throw new DemoFailed(`Connecting Meta ended on "${page.title}" (${page.status}) at ${new URL(page.url).pathname}.`);
  }
  print.acted('client', "connects Meta & Instagram: Facebook's dialog → consent → Kobi says “Connected”");

  print.heading('Onboarding, 2-Tier path');
  const live = await onboard({ tenantId, operator, simulator, print });

  // Meta works on the feed's items while the first events are sent.
  await feedService.publish(tenantId, demoFeed(demoSite));

  print.heading('First events');
  const datasetId = String(live.produced['datasetId']);
  const events = await sendEvents({ url, tenantId, datasetId, operator, simulator, print });

  print.heading('Product catalog');
  const catalog = await explained(showCatalog({ url, tenantId, print }));

  const adAccountId = String(live.produced['adAccountId']);
  const schedules = later && (await explained(showLater({ url, tenantId, adAccountId, simulator, later, print })));

  const summary: DemoSummary = {
    tenant: tenantId,
    status: live.status,
    steps: live.steps.map(({ name, state, ms }) => ({ name, state, ms })),
    graphCalls: (await simulator.callCount()) - callsBefore,
    events: events.counts,
    catalog,
    ...(schedules && { schedules }),
    ms: Math.round(performance.now() - startedMs),
  };
  printSummary(summary, print);
  printAddresses({ url, simulator, print, tenantId, datasetId, key: events.key });
  if (events.counts.delivered !== events.counts.sent - events.counts.refused) {
    throw new DemoFailed(`Only ${events.counts.delivered} events reached Meta. Run with LOG_LEVEL=info to see why.`);
  }
  return summary;
}

async function explained<T>(part: Promise<T>): Promise<T> {
  return part.catch((error: unknown) => {
    throw new DemoFailed(error instanceof Error ? error.message : String(error));
  });
}

/** Watches the steps until the tenant is live, and does what the client is asked to do. */
async function onboard(demo: {
  tenantId: string;
  operator: Operator;
  simulator: SimulatorControl;
  print: DemoPrinter;
}): Promise<TenantView> {
  const { tenantId, operator, simulator, print } = demo;
  const told = new Set<string>();
  let lastNewsMs = performance.now();
  const isNews = (fact: string): boolean => {
    if (told.has(fact)) return false;
    told.add(fact);
    lastNewsMs = performance.now();
    return true;
  };
  for (;;) {
    const view = await operator.tenant(tenantId);
    const byEnd = view.steps.toSorted((a, b) => (a.finishedAt ?? '').localeCompare(b.finishedAt ?? ''));
    for (const { name, title, state, ms, reason, wait } of byEnd) {
      if (state === 'done' && isNews(`done ${name}`)) {
        print.done({ name, title, product: productOf(name, view.produced), credential: credentialOf(name), ms });
      }
      if (state === 'skipped' && isNews(`skipped ${name}`)) print.skipped(name, title);
      if (state === 'failed') throw new DemoFailed(`Step ${name} failed: ${reason ?? 'without a reason'}.`);
      if (state === 'retrying' && isNews(`retrying ${name} ${reason ?? ''}`)) {
        print.failed(`${name.padEnd(24)} will be tried again: ${reason ?? ''}`);
      }
      if (state === 'waiting' && wait !== undefined && isNews(`waiting ${name} ${wait.for}`)) {
        print.waits(name, wait.on, wait.what);
        if (wait.for !== 'dns-record') {
          throw new DemoFailed(`Step ${name} waits on ${wait.on}, which nobody plays in the demo: ${wait.what}`);
        }
        for (const [, domain = '', txt = ''] of wait.what.matchAll(/(\S+) TXT "([^"]+)"/g)) {
          await simulator.publishTxt(domain, txt);
          print.acted('client', `publishes the TXT record of ${domain} at its DNS provider`);
        }
        await operator.retryStep(tenantId, name);
        print.acted('operator', `POST /tenant-api/tenants/${tenantId}/steps/${name}/retry`);
      }
    }
    if (view.status === 'live') return view;
    if (performance.now() - lastNewsMs > patienceMs) {
      const open = view.steps.filter(({ state }) => state !== 'done' && state !== 'skipped');
      throw new DemoFailed(
        `Nothing happened for ${patienceMs / 1000} s; open: ${open.map(({ name, state }) => `${name} ${state}`).join(', ') || view.status}. ` +
          'Run with LOG_LEVEL=info to see why.',
      );
    }
    await delay(lookEveryMs);
  }
}

/** The simulator's dialog without its page: the person clicks Continue at once. Meta's own dialog needs the person. */
function approveInDialog(to: URL): URL {
  if (to.pathname.endsWith('/dialog/oauth')) to.searchParams.set('sim_mode', 'direct');
  return to;
}

async function sendEvents(demo: {
  url: string;
  tenantId: string;
  datasetId: string;
  operator: Operator;
  simulator: SimulatorControl;
  print: DemoPrinter;
}): Promise<{ counts: DemoSummary['events']; key: string }> {
  const { url, tenantId, datasetId, operator, simulator, print } = demo;
  const relayUrl = `${url}/capi-relay`;
  const eventsUrl = `${relayUrl}/${datasetId}/events`;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const before = await simulator.acceptedEvents(datasetId);
  let sent = 0;
  let received = 0;
  await operator.allowOrigin(tenantId, new URL(demoSite).origin);
  for (const sender of demoSenders(demoSite, nowSeconds)) {
    const key = await operator.relayKey(tenantId, sender.purpose);
    const answer =
      sender.purpose === 'browser'
        ? await sendToCollect(`${relayUrl}/collect`, { key, datasetId, siteUrl: demoSite }, sender)
        : await sendToRelay(eventsUrl, key, sender);
    const good = sender.events.length - sender.bad;
    sent += sender.events.length;
    received += answer.received;
    if (answer.received !== good) {
      throw new DemoFailed(
        `The relay took ${answer.received} of ${good} good events of the ${sender.title} (${answer.status}): ${JSON.stringify(answer.answer)}`,
      );
    }
    const refusal = sender.bad === 0 ? '' : `, ${sender.bad} refused: ${answer.messages.join(' ')}`;
    print.ok(`${sender.title.padEnd(24)} ${good} queued${refusal}`);
  }
  const key = await operator.relayKey(tenantId, 'server');
  sent += 1;
  const bySdk = await sendWithBusinessSdk(relayUrl, datasetId, key, { siteUrl: demoSite, nowSeconds });
  received += bySdk;
  print.ok(`${'Meta’s Node SDK'.padEnd(24)} ${bySdk} queued: facebook-nodejs-business-sdk with only its host changed`);

  let delivered = 0;
  for (const deadlineMs = performance.now() + patienceMs; performance.now() < deadlineMs; await delay(lookEveryMs)) {
    delivered = (await simulator.acceptedEvents(datasetId)) - before;
    if (delivered >= received) break;
  }
  print.ok(`${'Meta'.padEnd(24)} ${delivered} of ${received} queued events accepted by dataset ${datasetId}`);
  return { counts: { sent, delivered, refused: sent - received }, key };
}

function printSummary(summary: DemoSummary, print: DemoPrinter): void {
  print.heading('Summary');
  print.table([
    ['step', 'state', 'ms'],
    ...summary.steps.map(({ name, state, ms }) => [name, state, ms === null ? '' : String(ms)]),
  ]);
  print.line();
  const { sent, delivered, refused } = summary.events;
  print.line(`  Tenant ${summary.tenant} is ${summary.status} after ${summary.graphCalls} Graph calls.`);
  print.line(
    `  Events: ${sent} sent, ${delivered} delivered to Meta, ${refused} refused with a reason. ${summary.ms} ms in all.`,
  );
}

function printAddresses(demo: {
  url: string;
  simulator: SimulatorControl;
  print: DemoPrinter;
  tenantId: string;
  datasetId: string;
  key: string;
}): void {
  const { url, simulator, print, tenantId, datasetId, key } = demo;
  print.heading('To try');
  print.table([
    ['everything', `${url}/`],
    ['tenant', `curl -sS ${url}/tenant-api/tenants/${tenantId} -H 'authorization: Bearer dev-operator'`],
    ['connect', `${url}/connect-meta/start?tenant=${tenantId}`],
    ['Graph calls', `${simulator.url}/_sim/log`],
    ['Meta’s objects', `${simulator.url}/_sim/state`],
    ['an event', curlFor(`${url}/capi-relay/${datasetId}/events`, key, demoSite)],
  ]);
  print.line();
}
