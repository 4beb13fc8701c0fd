import type { Credential } from './endpoint.ts';
import type { GraphErrorDetails } from './graph-error.ts';
import type { LogEntry } from './request-log.ts';
import type { Route } from './route.ts';
import type { UsageTarget } from './usage.ts';

/** What a request tells about itself: where its token is, whose quota it uses, how it reads in the log. */

export interface TokenFound {
  readonly value: string | undefined;
  readonly in: 'header' | 'query' | 'body' | 'none';
}

export function findToken(
  authorization: string | undefined,
  query: ReadonlyMap<string, unknown>,
  body: ReadonlyMap<string, unknown>,
): TokenFound {
  for (const [place, params] of [
    ['body', body],
    ['query', query],
  ] as const) {
    const value = params.get('access_token');
    if (typeof value === 'string' && value !== '') return { value, in: place };
  }
  const bearer = /^(?:Bearer|OAuth) (.+)$/i.exec(authorization ?? '')?.[1];
  return bearer === undefined ? { value: undefined, in: 'none' } : { value: bearer, in: 'header' };
}

export function usageTarget(route: Route, method: string): UsageTarget {
  const { node } = route;
  const adAccountId = node?.kind === 'ad_account' ? node.accountId : undefined;
  const quotaId =
    adAccountId ??
    (node?.kind === 'business'
      ? node.id
      : node !== undefined && 'businessId' in node
        ? node.businessId
        : node?.kind === 'extended_credit'
          ? node.ownerBusinessId
          : undefined);
  if (node?.kind === 'report_run') {
    const isInsights = true;
    return { adAccountId: undefined, quotaId: node.accountId.replace(/^act_/, ''), isWrite: false, isInsights };
  }
  const isWrite = method !== 'GET';
  if (node?.kind === 'catalog' || node?.kind === 'product_set') {
    const catalogId = node.kind === 'catalog' ? node.id : node.catalogId;
    const bucket = route.edge === 'items_batch' ? 'catalog_batch' : 'catalog_management';
    return {
      adAccountId: undefined,
      quotaId: undefined,
      catalogCall: { catalogId, bucket },
      isWrite,
      isInsights: false,
    };
  }
  return { adAccountId, quotaId, isWrite, isInsights: route.edge === 'insights' };
}

export function describeToken(token: TokenFound, credential: Credential | undefined): LogEntry['token'] {
  if (credential === undefined) return { kind: token.value === undefined ? 'none' : 'unknown' };
  if (credential.kind === 'user') return { kind: 'user', ownerId: credential.person.id };
  if (credential.kind === 'parent' || credential.kind === 'child') {
    return { kind: credential.kind, ownerId: credential.systemUser.id, businessId: credential.business.id };
  }
  return { kind: credential.kind };
}

export function loggableError({ code, subcode, message, reason }: GraphErrorDetails): NonNullable<LogEntry['error']> {
  return {
    code,
    message,
    ...(subcode === undefined ? {} : { subcode }),
    ...(reason === undefined ? {} : { reason }),
  };
}
