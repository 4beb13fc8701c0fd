import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

export type RecordedRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** The JSON Pub/Sub pushes. */
export type PushBody = {
  readonly message: {
    readonly data: string;
    readonly attributes?: Record<string, string>;
    readonly messageId: string;
    readonly message_id: string;
    readonly publishTime: string;
    readonly publish_time: string;
    readonly orderingKey?: string;
  };
  readonly subscription: string;
  readonly deliveryAttempt?: number;
};

/** The push body of a request, its data decoded from base64 to text. */
export function readPush(request: RecordedRequest | undefined): PushBody {
  const body: PushBody = JSON.parse(request?.body ?? '');
  return { ...body, message: { ...body.message, data: Buffer.from(body.message.data, 'base64').toString('utf8') } };
}

/** What to answer: a status, optionally with headers, at once or later. */
export type Answer = number | { readonly status: number; readonly headers: Record<string, string> };

export type RecordingEndpoint = {
  /** Ends without a slash. */
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Resolves with everything received so far once that is at least `count` requests. */
  received(this: void, count: number): Promise<RecordedRequest[]>;
  close(): Promise<void>;
};

/**
 * An HTTP server on a free port that records what a push subscription or a task queue sends it and answers as told.
 * `answer` gets the request and how many came before it; the default is 204.
 */
export async function startRecordingEndpoint(
  answer: (request: RecordedRequest, before: number) => Answer | Promise<Answer> = () => 204,
): Promise<RecordingEndpoint> {
  const requests: RecordedRequest[] = [];
  const waiters = new Set<{ readonly count: number; readonly resolve: (requests: RecordedRequest[]) => void }>();
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const request = {
        method: message.method ?? '',
        path: message.url ?? '',
        headers: message.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      const before = requests.length;
      requests.push(request);
      for (const waiter of waiters) {
        if (requests.length < waiter.count) continue;
        waiters.delete(waiter);
        waiter.resolve(requests);
      }
      void respond(response, answer(request, before));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    received: (count) =>
      requests.length >= count ? Promise.resolve(requests) : new Promise((resolve) => waiters.add({ count, resolve })),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(response: ServerResponse, answer: Answer | Promise<Answer>): Promise<void> {
  const given = await answer;
  if (typeof given === 'number') response.writeHead(given).end();
  else response.writeHead(given.status, given.headers).end();
}
