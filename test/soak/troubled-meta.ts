/** A way to the simulator on which things go wrong by chance: answers lost after the fact, 5xx before it, a throttle. */
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Trouble {
  /** Share of calls answered 500 without being carried out. */
  readonly errorShare: number;
  /** Share of calls carried out whose answer never arrives. */
  readonly lostShare: number;
  readonly random: () => number;
}

export interface TroubledMeta {
  readonly url: string;
  readonly counts: { calls: number; errors: number; lost: number; throttled: number };
  /** Nothing goes wrong before this is called. */
  begin(trouble: Trouble): void;
  /** Refuses every call for this long, naming the time. */
  throttleFor(ms: number): void;
  close(): Promise<void>;
}

export async function startTroubledMeta(simulatorUrl: string, nowMs: () => number = Date.now): Promise<TroubledMeta> {
  const target = new URL(simulatorUrl);
  const counts = { calls: 0, errors: 0, lost: 0, throttled: 0 };
  let trouble: Trouble | undefined;
  let throttledUntilMs = 0;

  const refuse = (
    response: ServerResponse,
    status: number,
    error: object,
    headers: Record<string, string> = {},
  ): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(
      JSON.stringify({ error: { message: 'trouble', type: 'OAuthException', fbtrace_id: 'Soak', ...error } }),
    );
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(incoming);
    counts.calls += 1;
    const leftMs = throttledUntilMs - nowMs();
    if (leftMs > 0) {
      counts.throttled += 1;
      refuse(response, 400, { code: 4 }, { 'retry-after': String(Math.ceil(leftMs / 1_000)) });
      return;
    }
    const dice = trouble?.random() ?? 1;
    if (trouble !== undefined && dice < trouble.errorShare) {
      counts.errors += 1;
      refuse(response, 500, { code: 2 });
      return;
    }
    const isLost = trouble !== undefined && dice < trouble.errorShare + trouble.lostShare;
    if (isLost) counts.lost += 1;
    const outgoing = httpRequest(
      {
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      (answer) => {
        if (isLost) {
          answer.resume();
          answer.on('end', () => response.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on('error', () => response.destroy());
    outgoing.end(body);
  };

  // A caller that was killed in the middle of its request is no news here.
  const server = createServer((incoming, response) => void serve(incoming, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    begin: (planned) => (trouble = planned),
    throttleFor: (ms) => (throttledUntilMs = nowMs() + ms),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
