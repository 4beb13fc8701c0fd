import { fbcOf, fbclidOf } from '../../../../shared/domain/click-ids/fbc.ts';
import { registrableDomain, subdomainIndexOf } from '../../../../shared/domain/click-ids/registrable-domain.ts';
import { isFbcOfClick, validFbc, validFbp } from '../../../../shared/domain/click-ids/shapes.ts';

/** What every hit of one page load has in common: when it began by the browser's clock, and a number it drew then. */
export interface PageLoad {
  readonly atMs: number;
  /** 0 to 2^31 - 2, as in Meta's own `_fbp`. */
  readonly draw: number;
}

export interface Visit {
  /** The `Cookie` header, which has the visitor's ids when page and relay share a registrable domain. */
  readonly cookies: string | undefined;
  /** Host of the relay as the browser called it, with or without port. */
  readonly relayHost: string | undefined;
  /** Origin of the page. */
  readonly origin: URL;
  /** The ids as the page itself reads them; the only ones there are when the relay is on another domain. */
  readonly fbp: string | undefined;
  readonly fbc: string | undefined;
  /** The click the page was opened with. */
  readonly fbclid: string | undefined;
  readonly load: PageLoad | undefined;
  /** The visitor said yes. Without it no id is made and no cookie set. */
  readonly isConsented: boolean;
  readonly nowMs: number;
}

export interface VisitorIds {
  readonly fbp: string | undefined;
  readonly fbc: string | undefined;
  /** Values of `Set-Cookie`. */
  readonly setCookies: readonly string[];
}

/** Meta's own lifetime of both cookies: 90 days. */
const maxAgeSeconds = 7_776_000;
/** A browser's clock this far from ours is wrong. */
const maxClockAheadMs = 60_000;
const maxPageLifeMs = 86_400_000;
const hourMs = 3_600_000;

/**
 * The `_fbp` and `_fbc` of a visitor ("fbp and fbc Parameters"), and the cookies that make them last.
 *
 * Ids that are there are kept, byte for byte; `_fbc` gives way only to another click that is not an older one. New ones are not drawn here but made
 * of what all hits of the page load carry, so that hits that arrive together, at whatever instance, get the same. Cookies
 * are set only with consent and only where the browser would take them: page and relay under one registrable domain, or
 * on the very same host.
 */
export function visitorIds(visit: Visit): VisitorIds {
  const { cookies, fbclid, isConsented, load, nowMs, origin, relayHost } = visit;
  const scope = cookieScope(origin, relayHost);
  const mayMint = isConsented && scope !== undefined && load !== undefined;
  const index = subdomainIndexOf(origin.hostname);
  const mintedFbp = mayMint ? `fb.${index}.${load.atMs}.${load.draw}` : undefined;
  const fbp = firstValid(cookies, '_fbp', validFbp) ?? validOr(visit.fbp, validFbp) ?? mintedFbp;

  const knownFbc = firstValid(cookies, '_fbc', validFbc) ?? validOr(visit.fbc, validFbc);
  // Half a surrogate pair, which JSON can carry, is no click and cannot be encoded.
  const isClick = fbclid !== undefined && fbclid.isWellFormed();
  const click = isClick ? fbclidOf(`?fbclid=${encodeURIComponent(fbclid)}`) : undefined;
  const mintedFbc = mayMint && click !== undefined ? fbcOf(click, clickTimeMs(load, nowMs), index) : undefined;
  const isKept =
    knownFbc !== undefined &&
    (click === undefined || isFbcOfClick(knownFbc, click) || (load !== undefined && clickTimeOf(knownFbc) > load.atMs));
  const fbc = isKept ? knownFbc : mintedFbc;

  const setCookies: string[] = [];
  if (scope !== undefined) {
    // The script may have written the same value first; only from a server does Safari keep it for 90 days.
    if (mintedFbp !== undefined && fbp === mintedFbp) setCookies.push(setCookie('_fbp', fbp, scope));
    if (mintedFbc !== undefined && fbc === mintedFbc) setCookies.push(setCookie('_fbc', fbc, scope));
  }
  return { fbp, fbc, setCookies };
}

/** The attributes that make a cookie the page's as well as ours; undefined where that cannot be. */
function cookieScope(origin: URL, relayHost: string | undefined): string | undefined {
  const relay = relayHost === undefined ? undefined : hostnameOf(relayHost);
  if (relay === undefined) return undefined;
  const domain = registrableDomain(origin.hostname);
  if (domain === undefined ? relay !== origin.hostname : registrableDomain(relay) !== domain) return undefined;
  // Not HttpOnly: the pixel reads both.
  const attributes = `Path=/; Max-Age=${maxAgeSeconds}; SameSite=Lax`;
  return `${attributes}${domain === undefined ? '' : `; Domain=${domain}`}${origin.protocol === 'https:' ? '; Secure' : ''}`;
}

function hostnameOf(host: string): string | undefined {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}

function setCookie(name: string, value: string, scope: string): string {
  return `${name}=${value}; ${scope}`;
}

/** When the click was seen. Where the browser's clock is wrong, our hour, which hits that come together agree on. */
function clickTimeMs({ atMs }: PageLoad, nowMs: number): number {
  const isRight = atMs <= nowMs + maxClockAheadMs && atMs >= nowMs - maxPageLifeMs;
  return isRight ? atMs : nowMs - (nowMs % hourMs);
}

/** Milliseconds; the shape is known. */
function clickTimeOf(fbc: string): number {
  return Number(fbc.split('.', 3)[2]);
}

/** A name may come twice, once of the host and once of the domain. */
function firstValid(
  cookies: string | undefined,
  name: string,
  valid: (value: string) => string | undefined,
): string | undefined {
  if (cookies === undefined) return undefined;
  for (const pair of cookies.split(';')) {
    const text = pair.trim();
    if (!text.startsWith(`${name}=`)) continue;
    const value = valid(text.slice(name.length + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

function validOr(value: string | undefined, valid: (value: string) => string | undefined): string | undefined {
  return value === undefined ? undefined : valid(value);
}
