import { GrpcCode, GrpcError } from '../grpc-service.ts';

/** One page of a listing, in Google's shape: the page token is the offset of the page's first item. `pageSize` 0 means 100. */
export function pageOf<T>(
  items: readonly T[],
  request: { pageSize?: number; pageToken?: string },
): { items: T[]; nextPageToken: string } {
  const offset = request.pageToken ? Number(request.pageToken) : 0;
  if (!Number.isInteger(offset) || offset < 0) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'Invalid page token.');
  const end = offset + (request.pageSize || 100);
  return { items: items.slice(offset, end), nextPageToken: end < items.length ? String(end) : '' };
}

/** A field mask's paths in camel case, the spelling of the fields handlers see. */
export function maskedFields(mask: { paths?: readonly string[] } | null | undefined): string[] {
  return (mask?.paths ?? []).map((path) => path.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
}
