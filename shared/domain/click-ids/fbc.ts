import { isFbcOfClick } from './shapes.ts';

/** Index Meta names for ids made on a server that sets no cookie ("fbp and fbc Parameters"). */
const SERVER_SUBDOMAIN_INDEX = 1;

const FBCLID = /^[\w.~%+=-]{1,500}$/;

/**
 * The click id in a URL's query, exactly as written there (it is case-sensitive), or undefined. Percent escapes are
 * undone as the browser's pixel does; what is left must look like a click id.
 */
export function fbclidOf(url: string | undefined): string | undefined {
  // Most URLs have none, and need no taking apart to say so.
  if (url === undefined || !url.includes('fbclid=')) return undefined;
  const start = url.indexOf('?');
  const hash = url.indexOf('#');
  if (start < 0 || (hash >= 0 && hash < start)) return undefined;
  const query = url.slice(start + 1, hash < 0 ? undefined : hash);
  for (const parameter of query.split('&')) {
    if (!parameter.startsWith('fbclid=')) continue;
    const fbclid = unescaped(parameter.slice('fbclid='.length));
    if (FBCLID.test(fbclid)) return fbclid;
  }
  return undefined;
}

function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `fb.{subdomainIndex}.{clickTimeMs}.{fbclid}`, byte for byte. */
export function fbcOf(fbclid: string, clickTimeMs: number, subdomainIndex: number): string {
  return `fb.${subdomainIndex}.${clickTimeMs}.${fbclid}`;
}

/**
 * The fbc of an event or cookie: the one there is, unless the page's own URL carries another click, which is newer; none
 * there, the click in the URL, else the one in the referrer. The same click always keeps the fbc it has, so its time is
 * never moved. `clickTimeMs` is used only when one is made.
 */
export function currentFbc(
  known: string | undefined,
  pageUrl: string | undefined,
  referrerUrl: string | undefined,
  clickTimeMs: number,
  subdomainIndex: number = SERVER_SUBDOMAIN_INDEX,
): string | undefined {
  const fbclid = fbclidOf(pageUrl);
  if (known !== undefined && (fbclid === undefined || isFbcOfClick(known, fbclid))) return known;
  const click = fbclid ?? fbclidOf(referrerUrl);
  return click === undefined ? undefined : fbcOf(click, clickTimeMs, subdomainIndex);
}
