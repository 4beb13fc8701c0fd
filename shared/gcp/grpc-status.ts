/** gRPC status codes as Google's clients report them in `error.code`. */
export const grpcStatus = { alreadyExists: 6, notFound: 5, failedPrecondition: 9, aborted: 10 } as const;

/** Whether an error of a Google client carries this gRPC status. */
export function hasGrpcStatus(error: unknown, status: keyof typeof grpcStatus): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === grpcStatus[status];
}
