import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { GrpcCode, GrpcError, type GrpcServer, type GrpcService, readProtoJson, serveGrpc } from './grpc-service.ts';

const protoJson = readProtoJson('@google-cloud/pubsub', 'build/protos/protos.json');

let server: GrpcServer | undefined;
let client: Client | undefined;

afterEach(async () => {
  client?.close();
  await server?.close();
});

async function serve(service: Partial<GrpcService>): Promise<Client> {
  const whole = { protoJson, serviceName: 'google.pubsub.v1.Publisher', handlers: {}, ...service };
  server = await serveGrpc({ services: [whole] });
  client = new Client(server.address, credentials.createInsecure());
  return client;
}

/** An empty message is a valid request of every method, so no encoder is needed here. */
function call(to: Client, method: string): Promise<{ error: ServiceError | null; answer: Buffer | undefined }> {
  const bytes = (message: Buffer): Buffer => message;
  return new Promise((resolve) => {
    to.makeUnaryRequest(`/google.pubsub.v1.Publisher/${method}`, bytes, bytes, Buffer.alloc(0), (error, answer) =>
      resolve({ error, answer }),
    );
  });
}

describe('serving a Google API over gRPC', () => {
  it('a handler sees proto defaults, and its partial answer is a whole message', async () => {
    let seen: object = {};
    const handlers = {
      publish: (request: object) => {
        seen = request;
        return Promise.resolve({ messageIds: ['m1'] });
      },
    };
    const { answer } = await call(await serve({ handlers }), 'Publish');
    expect(seen).toEqual({ topic: '', messages: [] });
    expect(answer?.toString()).toContain('m1');
  });

  it('a GrpcError reaches the client with its code, message and details', async () => {
    const handlers = {
      publish: () => {
        throw new GrpcError(GrpcCode.NOT_FOUND, 'no such topic', { reason: 'test' });
      },
    };
    const { error } = await call(await serve({ handlers }), 'Publish');
    expect(error).toMatchObject({ code: GrpcCode.NOT_FOUND, details: 'no such topic' });
    expect(error?.metadata.get('reason')).toEqual(['test']);
  });

  it('an unexpected throw is INTERNAL and keeps its message', async () => {
    const handlers = { publish: () => Promise.reject(new TypeError('a defect')) };
    const { error } = await call(await serve({ handlers }), 'Publish');
    expect(error).toMatchObject({ code: GrpcCode.INTERNAL, details: 'a defect' });
  });

  it('a method without a handler is UNIMPLEMENTED', async () => {
    const { error } = await call(await serve({}), 'GetTopic');
    expect(error).toMatchObject({ code: GrpcCode.UNIMPLEMENTED });
  });

  it('a misspelt handler or service stops the start', async () => {
    await expect(serve({ handlers: { publsh: () => ({}) } })).rejects.toThrow('no such method: publsh');
    await expect(serve({ serviceName: 'google.pubsub.v1.Nothing' })).rejects.toThrow('google.pubsub.v1.Nothing');
  });

  it('a streaming handler that fails ends its stream with the status; closing does not wait for open streams', async () => {
    const serviceName = 'google.pubsub.v1.Subscriber';
    const opened = Promise.withResolvers<void>();
    let calls = 0;
    const streams = {
      streamingPull: () => {
        calls += 1;
        if (calls === 1) throw new GrpcError(GrpcCode.PERMISSION_DENIED, 'not yours');
        opened.resolve();
      },
    };
    const to = await serve({ serviceName, streams });
    const open = (): Promise<ServiceError> =>
      new Promise((resolve) => {
        const bytes = (message: Buffer): Buffer => message;
        const stream = to.makeBidiStreamRequest(`/${serviceName}/StreamingPull`, bytes, bytes);
        stream.on('error', (error: ServiceError) => resolve(error));
      });
    expect(await open()).toMatchObject({ code: GrpcCode.PERMISSION_DENIED, details: 'not yours' });
    const second = open();
    await opened.promise;
    await server?.close();
    expect([GrpcCode.CANCELLED, GrpcCode.UNAVAILABLE, GrpcCode.INTERNAL]).toContain((await second).code);
  });
});
