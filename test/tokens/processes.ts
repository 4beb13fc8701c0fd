import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectId } from './token-world.ts';
import type { TokenWorld } from './token-world.ts';
import type { Command, ProcessFacts, Report } from './token-process.ts';

export interface TokenChild {
  tell(command: Command): void;
  /** The first report, of those already made or yet to come, that is looked for. */
  until<R extends Report>(isIt: (report: Report) => report is R): Promise<R>;
  /** Only reports yet to come are looked at from now on. */
  forget(): void;
  /** SIGKILL: nothing is tidied up. */
  kill(): Promise<void>;
}

/** Starts processes that share nothing but the world's servers. Resolves when all are ready. */
export async function startProcesses(count: number, world: TokenWorld, leaseMs: number): Promise<TokenChild[]> {
  const facts: ProcessFacts = {
    projectId,
    secretManagerHost: world.secretManager.host,
    graphUrl: world.simulator.url,
    leaseMs,
  };
  const children = Array.from({ length: count }, () =>
    wrap(fork(join(import.meta.dirname, 'token-process.ts'), [JSON.stringify(facts)])),
  );
  await Promise.all(children.map((child) => child.until(isReady)));
  return children;
}

const isReady = (report: Report): report is Extract<Report, { kind: 'ready' }> => report.kind === 'ready';

function wrap(child: ChildProcess): TokenChild {
  const reports: Report[] = [];
  let told = Promise.withResolvers<void>();
  child.on('message', (message) => {
    reports.push(message as Report);
    told.resolve();
    told = Promise.withResolvers();
  });
  return {
    tell: (command) => void child.send(command),
    async until(isIt) {
      for (;;) {
        const next = told.promise;
        const found = reports.find(isIt);
        if (found !== undefined) return found;
        await next;
      }
    },
    forget: () => void reports.splice(0),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
