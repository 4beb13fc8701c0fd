/** Failures that a test plants in the embedded Firestore's answers. */
import type { Metadata } from '@grpc/grpc-js';
import { GrpcCode, GrpcError, type StreamHandler, type UnaryHandler } from '../grpc-service.ts';

export type Fault = {
  /** The gRPC method in lower camel case: `commit`, `batchGetDocuments`, `runQuery`, `beginTransaction`, `listen`. */
  readonly method: string;
  readonly code: GrpcCode;
  readonly message?: string;
  /** The call takes effect and only its answer is lost. Unary methods only; a stream always fails before it starts. */
  readonly applied?: boolean;
  /** Only a request for which this holds is hit; the fault stays planted until one comes. */
  readonly when?: (request: object) => boolean;
};

/** Each planted fault hits one call, in the order they were planted. */
export class Faults {
  #planted: Fault[] = [];

  /** The next call of the method answers with the given status. */
  next(fault: Fault): void {
    this.#planted.push(fault);
  }

  /** Faults that no call has met yet. */
  get pending(): number {
    return this.#planted.length;
  }

  clear(): void {
    this.#planted = [];
  }

  unary(method: string, handler: UnaryHandler): UnaryHandler {
    return async (request: object, metadata: Metadata) => {
      const fault = this.#take(method, request);
      if (!fault) return await handler(request, metadata);
      if (fault.applied) await handler(request, metadata);
      throw fails(fault);
    };
  }

  stream(method: string, handler: StreamHandler): StreamHandler {
    return (call) => {
      const fault = this.#take(method, 'request' in call ? call.request : {});
      if (fault) throw fails(fault);
      return handler(call);
    };
  }

  #take(method: string, request: object): Fault | undefined {
    const index = this.#planted.findIndex((fault) => fault.method === method && (fault.when?.(request) ?? true));
    return index < 0 ? undefined : this.#planted.splice(index, 1)[0];
  }
}

function fails(fault: Fault): GrpcError {
  return new GrpcError(fault.code, fault.message ?? `Planted fault: ${GrpcCode[fault.code]}`);
}
