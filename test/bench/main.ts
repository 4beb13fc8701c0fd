/**
 * `npm run bench [-- NAME …]`: every `*.bench.ts` here, or the named ones; `relay` stands for all that is about it. Speeds are ratios measured in one run, because
 * absolute times say more about the machine than about us. It prints; it never judges a test.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a bench reports: how many times faster than the other side, or how many of something per something. */
interface BenchResult {
  readonly name: string;
  readonly ratio: number;
  /** What we want it to be at least. */
  readonly bar?: number;
  /** What we want it to be at most. */
  readonly atMost?: number;
}

const available = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace(/\.bench\.ts$/, ''));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. Available: ${available.join(', ')}.`);
  process.exit(2);
}

/** The relay's speed is that of its door, of hashing and of delivery. */
const named = new Set(asked.flatMap((name) => (name === 'relay' ? ['relay', 'identifiers', 'delivery'] : [name])));
for (const name of asked.length > 0 ? named : available) {
  const bench = (await import(join(import.meta.dirname, `${name}.bench.ts`))) as { run(): Promise<BenchResult[]> };
  console.log(`\n${name}`);
  for (const { name: what, ratio, bar, atMost } of await bench.run()) {
    const verdict =
      bar !== undefined
        ? `  (bar ${bar}: ${ratio >= bar ? 'met' : 'missed'})`
        : atMost === undefined
          ? ''
          : `  (at most ${atMost}: ${ratio <= atMost ? 'met' : 'missed'})`;
    console.log(`  ${ratio.toFixed(2).padStart(8)}×  ${what}${verdict}`);
  }
}
