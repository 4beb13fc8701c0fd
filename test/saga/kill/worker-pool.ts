/** Worker processes that are killed and stopped for real, behind one address that outlives them. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

export interface Worker {
  readonly name: string;
  /** Requests it has been given and not answered. */
  readonly underWay: number;
}

export interface WorkerPoolOptions {
  readonly file: string;
  /** Processes that serve or are about to; one that dies or stops is replaced. */
  readonly size: number;
  /** The environment of a process, and what becomes superfluous with its end. */
  readonly prepare: (name: string) => Promise<{ environment: Record<string, string>; release: () => Promise<void> }>;
  /** Every log line, parsed. */
  readonly onLog: (worker: string, line: Readonly<Record<string, unknown>>) => void;
}

interface Member extends Worker {
  readonly child: ChildProcess;
  readonly port: number;
  readonly release: () => Promise<void>;
  underWay: number;
  isStopped: boolean;
}

export class WorkerPool {
  readonly url: string;
  readonly #options: WorkerPoolOptions;
  readonly #server: ReturnType<typeof createServer>;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #members = new Set<Member>();
  readonly #booting = new Set<Promise<void>>();
  #isClosing = false;
  #turn = 0;
  /** Processes ever started. */
  started = 0;

  /** Opens the address; the processes come with {@link fill}. */
  static async open(options: WorkerPoolOptions): Promise<WorkerPool> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new WorkerPool(options, server);
  }

  private constructor(options: WorkerPoolOptions, server: ReturnType<typeof createServer>) {
    this.#options = options;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // A stopped process would outlive its parent, since it hears of nothing.
    process.once('exit', () => {
      for (const { child } of this.#members) child.kill('SIGKILL');
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
    server.on('request', (incoming, response) => void this.#pass(incoming, response));
  }

  /** Those that serve at this instant. */
  ready(): readonly Worker[] {
    return [...this.#members].filter(({ isStopped }) => !isStopped);
  }

  /** Starts what is missing; resolves when it serves. */
  async fill(): Promise<void> {
    while (!this.#isClosing && this.ready().length + this.#booting.size < this.#options.size) {
      const booting: Promise<void> = this.#start().finally(() => this.#booting.delete(booting));
      this.#booting.add(booting);
    }
    await Promise.all(this.#booting);
  }

  /** SIGKILL: as if its machine were switched off. Another takes its place. */
  kill(worker: Worker): void {
    const member = this.#memberOf(worker);
    this.#members.delete(member);
    member.child.kill('SIGKILL');
    void this.fill();
  }

  /** SIGSTOP: it stands still, with its connections open. Requests go to the others. */
  stop(worker: Worker): void {
    const member = this.#memberOf(worker);
    member.isStopped = true;
    member.child.kill('SIGSTOP');
    void this.fill();
  }

  /** SIGCONT: it goes on as if nothing had been. */
  resume(worker: Worker): void {
    const member = this.#memberOf(worker);
    member.isStopped = false;
    member.child.kill('SIGCONT');
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#booting);
    await Promise.all([...this.#members].map((member) => this.#end(member)));
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #memberOf(worker: Worker): Member {
    const member = [...this.#members].find((known) => known === worker);
    if (member === undefined) throw new Error(`${worker.name} is not there any more`);
    return member;
  }

  async #start(): Promise<void> {
    this.started += 1;
    const name = `worker-${this.started}`;
    const { environment, release } = await this.#options.prepare(name);
    const child = fork(this.#options.file, [], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, ...environment },
    });
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('{')) this.#options.onLog(name, JSON.parse(line) as Record<string, unknown>);
      });
    }
    const ended = once(child, 'exit');
    const port = await Promise.race([
      once(child, 'message').then(([message]) => (message as { port: number }).port),
      ended.then(([code]) => {
        throw new Error(`${name} ended before it served (${String(code)})`);
      }),
    ]);
    const member: Member = { name, child, port, release, underWay: 0, isStopped: false };
    this.#members.add(member);
    child.once('exit', () => {
      this.#members.delete(member);
      void release();
    });
  }

  async #end(member: Member): Promise<void> {
    const ended = once(member.child, 'exit');
    member.child.kill('SIGKILL');
    await ended;
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const serving = [...this.#members].filter(({ isStopped }) => !isStopped);
    this.#turn += 1;
    const member = serving[this.#turn % Math.max(1, serving.length)];
    if (member === undefined) return void response.writeHead(503).end();
    member.underWay += 1;
    const outgoing = httpRequest(
      {
        agent: this.#agent,
        host: '127.0.0.1',
        port: member.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    // The process died: to the caller that is a failed delivery.
    outgoing.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on('close', () => (member.underWay -= 1));
    outgoing.end(body);
  }
}
