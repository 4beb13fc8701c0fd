/** What the demo shows: one line as each thing happens, coloured on a terminal only. */
import { styleText } from 'node:util';
import type { StepName, WaitParty } from './demo-vocabulary.ts';

type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold';

export interface StepLine {
  readonly name: StepName;
  readonly title: string;
  /** The object that came into being, e.g. `act_123`; empty when there is none. */
  readonly product: string;
  readonly credential: string;
  readonly ms: number | null;
}

export class DemoPrinter {
  readonly #out: NodeJS.WritableStream;

  constructor(out: NodeJS.WritableStream = process.stdout) {
    this.#out = out;
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  heading(text: string): void {
    this.line();
    this.line(this.#paint('bold', text));
  }

  /** Something the client or the operator did. */
  acted(who: string, what: string): void {
    this.line(`  ${this.#paint('cyan', '→')} ${who.padEnd(9)} ${what}`);
  }

  done({ name, title, product, credential, ms }: StepLine): void {
    const took = ms === null ? '' : `${ms} ms`;
    this.line(
      `  ${this.#paint('green', '✓')} ${name.padEnd(24)} ${title.padEnd(54)} ${product.padEnd(24)} ` +
        `${this.#paint('dim', credential.padEnd(18))} ${took.padStart(7)}`,
    );
  }

  skipped(name: StepName, title: string): void {
    this.line(`  ${this.#paint('dim', `– ${name.padEnd(24)} ${title} (does not apply)`)}`);
  }

  waits(name: string, on: WaitParty, what: string): void {
    this.line(`  ${this.#paint('yellow', '…')} ${name.padEnd(24)} waits on ${this.#paint('bold', on)}: ${what}`);
  }

  ok(text: string): void {
    this.line(`  ${this.#paint('green', '✓')} ${text}`);
  }

  failed(text: string): void {
    this.line(`  ${this.#paint('red', '✗')} ${text}`);
  }

  /** Columns as wide as their widest cell. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = rows.reduce<number[]>(
      (known, row) => row.map((cell, index) => Math.max(known[index] ?? 0, cell.length)),
      [],
    );
    for (const row of rows) {
      this.line(`  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd());
    }
  }

  #paint(colour: Colour, text: string): string {
    return styleText(colour, text, { stream: this.#out });
  }
}
