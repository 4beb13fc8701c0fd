/** The demo's shop has a product feed: one sync, and one look of catalog-monitor at what came of it. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import type { Envelope } from '../../shared/contracts/topics.ts';
import { createPublisher } from '../../shared/gcp/publisher.ts';
import type { DemoPrinter } from './demo-printer.ts';
import { operatorToken } from './gateway.ts';
import type { Stack } from './stack.ts';

const bucket = 'kobi-feeds';
const patienceMs = 20_000;
const lookEveryMs = 100;

/** The feed service's part: keeps a file and tells of it. */
export interface FeedService {
  publish(tenantId: string, csv: string): Promise<void>;
}

export function feedServiceOf({ google }: Pick<Stack, 'google'>): FeedService {
  return {
    async publish(tenantId, csv) {
      const bytes = Buffer.from(csv);
      google.storage.put(bucket, `${tenantId}.csv`, bytes);
      const publisher = createPublisher(google.projectId);
      const at = new Date().toISOString();
      const envelope: Envelope<'feed-updated'> = {
        eventId: `${tenantId}:feed:${at}`,
        type: 'feed-updated',
        version: 1,
        tenantId,
        at,
        traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
        data: {
          source: { kind: 'object', bucket, object: `${tenantId}.csv` },
          format: 'csv',
          sha256: createHash('sha256').update(bytes).digest('hex'),
          intervalHours: 24,
          cause: 'updated',
        },
      };
      await publisher.publish(envelope);
      await publisher.close();
    },
  };
}

/** Twelve products, one of them priced as no one can read. */
export function demoFeed(site: string): string {
  const rows = Array.from({ length: 12 }, (_, index) => {
    const sku = `SKU-${index + 1}`;
    const price = index === 4 ? '"49,90 TL"' : `${20 + index}.90 TRY`;
    return `${sku},Towel ${index + 1},Soft cotton from Denizli,in_stock,${price},${site}/p/${sku},${site}/i/${sku}.jpg,Acme`;
  });
  return ['id,title,description,availability,price,link,image_link,brand', ...rows, ''].join('\n');
}

const catalogSchema = v.object({
  items: v.nullable(v.number()),
  sync: v.nullable(v.object({ state: v.string(), reason: v.nullable(v.string()) })),
  history: v.array(
    v.object({
      syncId: v.string(),
      state: v.string(),
      reason: v.nullable(v.string()),
      counts: v.record(v.string(), v.number()),
    }),
  ),
});
const gateSchema = v.object({
  state: v.string(),
  checks: v.array(v.object({ condition: v.string(), answer: v.string(), reason: v.string() })),
});
const problemsSchema = v.object({
  problems: v.array(
    v.object({ row: v.number(), field: v.string(), got: v.nullable(v.string()), expected: v.string() }),
  ),
});

/** Waits for the sync that was announced, runs the monitor, and shows both. Throws with words when it did not work. */
export async function showCatalog(demo: {
  readonly url: string;
  readonly tenantId: string;
  readonly print: DemoPrinter;
}): Promise<{ readonly items: number; readonly gate: string }> {
  const { print, tenantId, url } = demo;
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  const tenant = `/catalog-admin/tenants/${tenantId}`;
  const deadlineMs = performance.now() + patienceMs;
  let catalog = v.parse(catalogSchema, await ask('GET', `${tenant}/catalog`));
  while (catalog.history.length === 0) {
    if (performance.now() > deadlineMs || catalog.sync?.state === 'waiting' || catalog.sync?.state === 'held') {
      throw new Error(
        `The catalog's sync is ${catalog.sync?.state ?? 'not begun'}: ${catalog.sync?.reason ?? 'no reason yet'}.`,
      );
    }
    await delay(lookEveryMs);
    catalog = v.parse(catalogSchema, await ask('GET', `${tenant}/catalog`));
  }
  const [sync] = catalog.history;
  if (sync?.state !== 'done') throw new Error(`The catalog's sync ended ${sync?.state ?? ''}: ${sync?.reason ?? ''}`);
  const { accepted = 0, refused = 0 } = sync.counts;
  print.ok(`${'catalog-sync'.padEnd(24)} ${accepted} items accepted by Meta, ${refused} refused`);
  const { problems } = v.parse(problemsSchema, await ask('GET', `${tenant}/catalog/problems`));
  for (const { expected, field, got, row } of problems) {
    print.line(`    row ${row}: ${field} “${got ?? ''}” is not ${expected}`);
  }
  await ask('POST', '/catalog-monitor', { again: true });
  const gate = v.parse(gateSchema, await ask('GET', `${tenant}/launch-gate`));
  print.ok(`${'catalog-monitor'.padEnd(24)} dynamic ads: ${gate.state}`);
  for (const { answer, condition, reason } of gate.checks) {
    if (answer !== 'yes') print.line(`    ${condition} ${answer}: ${reason}`);
  }
  return { items: catalog.items ?? 0, gate: gate.state };
}
