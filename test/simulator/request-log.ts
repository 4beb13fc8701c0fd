import type { CredentialKind } from './endpoint.ts';

export interface LogEntry {
  seq: number;
  at: string;
  method: string;
  /** As asked, without the query. */
  path: string;
  /** Version asked for (`v25.0`), or '' for an unversioned path. */
  version: string;
  /** Versionless template: `/{business}/adaccount`. */
  edge: string;
  operation: string | undefined;
  /** Every parameter; secrets are replaced. */
  params: Record<string, unknown>;
  token: { kind: CredentialKind | 'unknown'; ownerId?: string; businessId?: string };
  tokenIn: 'header' | 'query' | 'body' | 'none';
  /** HTTP status; 0 when the connection was cut instead. */
  status: number;
  error?: { code: number; subcode?: number; message: string; reason?: string };
  /** Set when a planted fault shaped the answer. */
  fault?: string;
  fbtraceId: string;
  ms: number;
}

const secretNames = new Set([
  'access_token',
  'client_secret',
  'appsecret_proof',
  'fb_exchange_token',
  'input_token',
  'revoke_token',
  'code',
  'verify_token',
]);

const longestList = 20;
const inFullUpTo = 5_000;

/** Parameters fit for a log: secrets removed; long texts and lists cut, shorter still in a `brief` entry. */
export function loggableParams(raw: ReadonlyMap<string, unknown>, brief: boolean): Record<string, unknown> {
  const longestText = brief ? 1_024 : 16_384;
  const shown: Record<string, unknown> = {};
  for (const [name, value] of raw) {
    if (secretNames.has(name)) shown[name] = '[removed]';
    else if (Array.isArray(value) && value.length > (brief ? 0 : longestList)) {
      const kept: unknown[] = brief ? [] : value.slice(0, longestList);
      shown[name] = [...kept, `… of ${String(value.length)} items`];
    } else if (typeof value === 'string' && value.length > longestText) {
      shown[name] = `… of ${String(value.length)} characters`;
    } else shown[name] = value;
  }
  return shown;
}

/** Every Graph request in order; the oldest entries go first once the bound is reached. */
export class RequestLog {
  readonly #limit: number;
  #entries: LogEntry[] = [];
  #lastSeq = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Requests are carried out one at a time, so the order of numbers is that of entries. */
  nextSeq(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }

  add(entry: LogEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length >= this.#limit * 1.25) this.#entries = this.#entries.slice(-this.#limit);
  }

  /** Once many requests are held, entries are brief, so that a load test does not fill the memory. */
  get isBrief(): boolean {
    return this.#lastSeq > inFullUpTo;
  }

  get total(): number {
    return this.#lastSeq;
  }

  entries(): readonly LogEntry[] {
    return this.#entries.slice(-this.#limit);
  }
}
