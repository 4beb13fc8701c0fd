/**
 * The relay's hot path against functions-framework answering the same bodies with parse only, in the same run: each
 * server alone on core 0 (on Linux, with `taskset`), the load on the others. Bars: at least 0.7 of its requests a second,
 * and at least 30,000 events a second in batches of 100. Both are taken from the CPU time a request costs, which is what
 * one core can do; the requests a second seen are printed beside, and fall behind it when the machine does other work.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Pool } from 'undici';
import { benchDatasetId, benchKey, purchase } from './relay-events.ts';

const connections = 64;
const warmUpMs = 2_000;
const rounds = 5;
const roundMs = 3_000;
const distinctBodies = 200;

interface Figure {
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface BenchServer {
  readonly port: number;
  readonly child: ChildProcess;
}

export async function run(): Promise<{ name: string; ratio: number; bar?: number }[]> {
  const servers = { relay: await start('relay'), parseOnly: await start('parse-only') };
  try {
    const one = await compare(servers, 1);
    const hundred = await compare(servers, 100);
    const eventsPerSecond = (100 * 1_000_000) / hundred.relay.cpuUsPerRequest;
    const parsedPerSecond = (100 * 1_000_000) / hundred.parseOnly.cpuUsPerRequest;
    return [
      { name: 'requests of 1 event, of parse only', ratio: ratioOf(one), bar: 0.7 },
      {
        name: `events a second in batches of 100, of those parse only reads (${parsedPerSecond.toFixed(0)})`,
        ratio: ratioOf(hundred),
      },
      {
        name: `events in batches of 100, of 30,000 a second (${eventsPerSecond.toFixed(0)})`,
        ratio: eventsPerSecond / 30_000,
        bar: 1,
      },
    ];
  } finally {
    for (const { child } of Object.values(servers)) child.disconnect();
  }
}

interface Compared {
  readonly relay: Figure;
  readonly parseOnly: Figure;
}

function ratioOf({ relay, parseOnly }: Compared): number {
  return parseOnly.cpuUsPerRequest / relay.cpuUsPerRequest;
}

/**
 * Measures both turn by turn, so that a slow moment of the machine meets both, and takes the cheapest round of each: what
 * else the machine does makes a round dearer, and never cheaper.
 */
async function compare(servers: { relay: BenchServer; parseOnly: BenchServer }, events: number): Promise<Compared> {
  const bodies = bodiesOf(events);
  await load(servers.relay, bodies, warmUpMs);
  await load(servers.parseOnly, bodies, warmUpMs);
  const figures: { relay: Figure[]; parseOnly: Figure[] } = { relay: [], parseOnly: [] };
  for (let round = 0; round < rounds; round += 1) {
    figures.relay.push(await load(servers.relay, bodies, roundMs));
    figures.parseOnly.push(await load(servers.parseOnly, bodies, roundMs));
  }
  const compared = { relay: cheapest(figures.relay), parseOnly: cheapest(figures.parseOnly) };
  console.log(`  ${events} events a request: relay ${shown(compared.relay)}; parse only ${shown(compared.parseOnly)}`);
  return compared;
}

function shown({ cpuUsPerRequest, requestsPerSecond, p50Ms, p99Ms }: Figure): string {
  const seen = `${requestsPerSecond.toFixed(0)} req/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  return `${cpuUsPerRequest.toFixed(0)} µs of CPU (${seen})`;
}

async function start(kind: 'relay' | 'parse-only'): Promise<BenchServer> {
  const script = join(import.meta.dirname, 'relay-server.ts');
  const command = ['taskset', '-c', '0', process.execPath, script, kind];
  const own = process.platform === 'linux' ? command : command.slice(3);
  const child = spawn(own[0] ?? '', own.slice(1), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [port] = (await once(child, 'message')) as [number];
  return { port, child };
}

function bodiesOf(eventsPerBody: number): string[] {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return Array.from({ length: distinctBodies }, (_body, body) => {
    const data = Array.from({ length: eventsPerBody }, (_event, at) => purchase(body * eventsPerBody + at, nowSeconds));
    return JSON.stringify({ data, access_token: benchKey.key });
  });
}

/** Keeps every connection busy for a while. @throws when an answer is not a success, so that no bench measures errors */
async function load({ port, child }: BenchServer, bodies: readonly string[], forMs: number): Promise<Figure> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections });
  const latencies: number[] = [];
  const cpuBeforeUs = await cpuUs(child);
  const startedAt = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const sentAt = performance.now();
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: `/v25.0/${benchDatasetId}/events`,
        headers: { 'content-type': 'application/json' },
        body: bodies[next++ % bodies.length] ?? '',
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${text.slice(0, 500)}`);
      if (!text.includes('"refused":[],"warnings":[]')) throw new Error(`not a clean answer: ${text.slice(0, 500)}`);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  await pool.close();
  latencies.sort((a, b) => a - b);
  const quantile = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  const cpuUsPerRequest = ((await cpuUs(child)) - cpuBeforeUs) / latencies.length;
  return {
    cpuUsPerRequest,
    requestsPerSecond: latencies.length / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

function cheapest(figures: readonly Figure[]): Figure {
  return figures.reduce((best, figure) => (figure.cpuUsPerRequest < best.cpuUsPerRequest ? figure : best));
}

/** Microseconds of CPU the server has used so far. */
async function cpuUs(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [used] = (await once(child, 'message')) as [number];
  return used;
}
