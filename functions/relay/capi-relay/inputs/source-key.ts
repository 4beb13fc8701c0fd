import type { Payload } from '../../../../shared/domain/event-sources/payload.ts';
import { bearerOf, inQuery, textOf } from '../request.ts';
import type { RelayRequest } from '../request.ts';

/**
 * The relay key where a sender of that kind puts its own: as Bearer; as the user name of Basic, which is Segment's write
 * key; in the body as `access_token` or Segment's `writeKey`; in the query as `access_token` or GA4's `api_secret`.
 */
export function sourceKeyOf(
  { headers, url }: Pick<RelayRequest, 'headers' | 'url'>,
  body: Payload,
): string | undefined {
  return (
    bearerOf(headers.authorization) ??
    basicUserOf(headers.authorization) ??
    textOf(body['access_token']) ??
    textOf(body['writeKey']) ??
    inQuery(url, 'access_token') ??
    inQuery(url, 'api_secret')
  );
}

function basicUserOf(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]{1,400})$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : textOf(Buffer.from(encoded, 'base64').toString('utf8').split(':')[0]);
}
