/**
 * Serves Google Cloud APIs over gRPC on this machine, from the proto JSON that Google's own client packages ship.
 * The product's unchanged `@google-cloud/*` clients talk to it as they talk to Google; only the host differs.
 *
 * What handlers see, whatever the service: camelCase fields, int64 as decimal strings, enums by name, bytes as `Buffer`,
 * unset scalars with their proto default, unset messages and unset oneof members absent or null, and, for a oneof, a field of
 * the oneof's name holding the name of the member that is set. Responses may be partial; absent fields are proto defaults.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON, type Options, type PackageDefinition } from '@grpc/proto-loader';

/** gRPC status codes by Google's names: `GrpcCode.NOT_FOUND` is 5. */
export const GrpcCode = status;
export type GrpcCode = status;

/** What a client receives as an error: a status code, a message, and optional trailing metadata (`details`). */
export class GrpcError extends Error {
  readonly code: GrpcCode;
  readonly details: Readonly<Record<string, string>>;

  constructor(code: GrpcCode, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'GrpcError';
    this.code = code;
    this.details = details;
  }
}

/** The JSON form of a set of `.proto` files (protobufjs), as shipped in `build/protos` of each client package. */
export type ProtoJson = Parameters<typeof fromJSON>[0];

/** Answers one unary call; the returned (or resolved) object is the response message. Throw `GrpcError` to answer an error. */
export type UnaryHandler = {
  // Method syntax on purpose: it lets a handler declare the request type it expects.
  handle(request: object, metadata: Metadata): unknown;
}['handle'];

/** Drives one streaming call: grpc-js's own call object. What it throws, at once or later, ends the stream as an error. */
export type StreamHandler = {
  handle(call: StreamingCall): unknown;
}['handle'];

export type StreamingCall =
  ServerReadableStream<object, object> | ServerWritableStream<object, object> | ServerDuplexStream<object, object>;

/** One gRPC service. Methods are named in lower camel case (`createTopic`); one that is not listed answers UNIMPLEMENTED. */
export type GrpcService = {
  readonly protoJson: ProtoJson;
  /** Fully qualified, e.g. `google.pubsub.v1.Publisher`. */
  readonly serviceName: string;
  readonly handlers: Readonly<Record<string, UnaryHandler>>;
  /** The methods that stream in either direction (`streamingPull`, `listen`). */
  readonly streams?: Readonly<Record<string, StreamHandler>>;
};

export type GrpcServer = {
  /** `host:port`, ready for a `*_EMULATOR_HOST` variable. */
  readonly address: string;
  readonly port: number;
  /** Stops at once; open calls end with CANCELLED or UNAVAILABLE. Safe to call twice. */
  close(): Promise<void>;
};

const messageShape: Options = { longs: String, enums: String, bytes: Buffer, defaults: true, oneofs: true };

const definitions = new WeakMap<ProtoJson, PackageDefinition>();

/**
 * Reads a proto JSON file from an installed client package, wherever npm put it.
 * Example: `readProtoJson('@google-cloud/pubsub', 'build/protos/protos.json')`.
 */
export function readProtoJson(packageName: string, path: string): ProtoJson {
  // The file itself is not in every package's `exports`, so it is found from the package's entry point.
  const entry = createRequire(import.meta.url).resolve(packageName);
  const end = entry.lastIndexOf(join('node_modules', packageName));
  const root = end < 0 ? dirname(entry) : entry.slice(0, end + join('node_modules', packageName).length);
  const json: ProtoJson = JSON.parse(readFileSync(join(root, path), 'utf8'));
  return json;
}

/** Listens on `host:port` (default 127.0.0.1, any free port) without TLS. Rejects when the port is taken or a service or handler name is unknown. */
export async function serveGrpc(options: {
  host?: string;
  port?: number;
  services: readonly GrpcService[];
}): Promise<GrpcServer> {
  const host = options.host ?? '127.0.0.1';
  const server = new Server({
    // Firestore allows 10 MiB per commit and Pub/Sub 10 MB per publish; grpc-js would stop at 4 MiB.
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.max_send_message_length': -1,
  });
  for (const service of options.services) {
    const definition = serviceDefinition(service);
    server.addService(definition, implementation(service, definition));
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port ?? 0}`, ServerCredentials.createInsecure(), (error, boundPort) => {
      if (error) reject(error);
      else resolve(boundPort);
    });
  });
  return {
    address: `${host}:${port}`,
    port,
    close: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

/** How the service's messages are written and read, by method. */
export function serviceDefinition(service: GrpcService): ServiceDefinition {
  let definition = definitions.get(service.protoJson);
  if (!definition) {
    definition = fromJSON(service.protoJson, messageShape);
    definitions.set(service.protoJson, definition);
  }
  const found = definition[service.serviceName];
  if (!found || 'format' in found) throw new Error(`The proto JSON holds no service ${service.serviceName}`);
  return found;
}

function implementation(service: GrpcService, definition: ServiceDefinition): UntypedServiceImplementation {
  const streams = service.streams ?? {};
  const unknown = new Set([...Object.keys(service.handlers), ...Object.keys(streams)]);
  const bound: Record<string, UntypedHandleCall> = {};
  for (const method of Object.values(definition)) {
    const name = lowerFirst(method.path.slice(method.path.lastIndexOf('/') + 1));
    const streaming = method.requestStream || method.responseStream;
    const stream = streaming ? streams[name] : undefined;
    const handler = streaming ? undefined : service.handlers[name];
    if (stream) bound[name] = streamCall(stream);
    else if (handler) bound[name] = unaryCall(handler);
    else continue;
    unknown.delete(name);
  }
  if (unknown.size > 0) throw new Error(`${service.serviceName} has no such method: ${[...unknown].join(', ')}`);
  return bound;
}

function unaryCall(handler: UnaryHandler): UntypedHandleCall {
  const answer = async (
    call: ServerUnaryCall<object, object>,
    reply: (error: StatusReply | null, response?: object) => void,
  ): Promise<void> => {
    let response: unknown;
    try {
      response = await handler(call.request, call.metadata);
    } catch (error) {
      reply(statusReply(error));
      return;
    }
    reply(null, typeof response === 'object' && response !== null ? response : {});
  };
  return (call: ServerUnaryCall<object, object>, reply: (error: StatusReply | null, response?: object) => void) =>
    void answer(call, reply);
}

function streamCall(handler: StreamHandler): UntypedHandleCall {
  return (call: StreamingCall): void => {
    // A stream whose client has gone emits 'error'; unheard it would end the process.
    call.on('error', () => undefined);
    Promise.resolve()
      .then(() => handler(call))
      .catch((error: unknown) => call.emit('error', statusReply(error)));
  };
}

type StatusReply = { code: GrpcCode; details: string; metadata: Metadata };

/** The wire form of whatever was thrown. An unexpected throw becomes INTERNAL with its message, so no defect is hidden. */
export function statusReply(error: unknown): StatusReply {
  const metadata = new Metadata();
  if (error instanceof GrpcError) {
    for (const [key, value] of Object.entries(error.details)) metadata.set(key, value);
    return { code: error.code, details: error.message, metadata };
  }
  return { code: GrpcCode.INTERNAL, details: error instanceof Error ? error.message : String(error), metadata };
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
