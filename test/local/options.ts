/** The command line of `npm start`. */
import { parseArgs } from 'node:util';

export interface StartOptions {
  /** End after the demo. */
  readonly once: boolean;
  readonly demo: boolean;
  readonly port: number;
  readonly simulatorPort: number;
  /** Where Graph calls go instead of to the simulator. */
  readonly graphUrl?: string;
  readonly emulators: 'embedded' | 'google';
  /** The summary as JSON on the last line. */
  readonly json: boolean;
  /** One process per function. */
  readonly processes: boolean;
  /** The code that is deployed, bundled anew, instead of the source. */
  readonly bundles: boolean;
}

const usage = `Options (after --):
  --once               end after the demo: exit code 0 when all of it worked
  --no-demo            only start
  --port N             port of the functions (default 8080; 0 takes any free one)
  --simulator-port N   port of the Meta simulator (default 8090; 0 takes any free one)
  --graph-url URL      send Graph calls there instead of to the simulator
  --emulators google   Google's own Firestore and Pub/Sub emulators instead of the embedded ones
  --processes          one process per function instead of one for all
  --bundles            the code that is deployed, bundled anew, instead of the source
  --json               print the demo's summary as JSON on the last line`;

/** A command line that cannot be meant; the message says what is valid. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(problem: string) {
    super(`${problem}\n${usage}`);
  }
}

/** @throws UsageError */
export function readOptions(args: readonly string[]): StartOptions {
  const values = parse(args);
  const once = values.once ?? false;
  const demo = !(values['no-demo'] ?? false);
  if (once && !demo) throw new UsageError('--once ends after the demo, --no-demo leaves it out: choose one.');
  const { 'graph-url': graphUrl, emulators = 'embedded' } = values;
  if (emulators !== 'embedded' && emulators !== 'google') {
    throw new UsageError(`--emulators takes google or embedded, not "${emulators}".`);
  }
  if (graphUrl !== undefined && !/^https?:$/.test(URL.canParse(graphUrl) ? new URL(graphUrl).protocol : '')) {
    throw new UsageError(`--graph-url takes an http(s) URL, not "${graphUrl}".`);
  }
  return {
    once,
    demo,
    port: portOf('--port', values.port, 8080),
    simulatorPort: portOf('--simulator-port', values['simulator-port'], 8090),
    ...(graphUrl === undefined ? {} : { graphUrl: graphUrl.replace(/\/+$/, '') }),
    emulators,
    json: values.json ?? false,
    processes: values.processes ?? false,
    bundles: values.bundles ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        once: { type: 'boolean' },
        'no-demo': { type: 'boolean' },
        port: { type: 'string' },
        'simulator-port': { type: 'string' },
        'graph-url': { type: 'string' },
        emulators: { type: 'string' },
        json: { type: 'boolean' },
        processes: { type: 'boolean' },
        bundles: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function portOf(option: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const port = Number(given);
  if (!/^\d{1,5}$/.test(given) || port > 65_535) throw new UsageError(`${option} takes 0 to 65535, not "${given}".`);
  return port;
}
