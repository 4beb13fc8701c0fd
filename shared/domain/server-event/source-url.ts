import { hasEmail, isPersonalParameter, isPersonalValue, type PlainIdentity } from './personal-data.ts';

const MAX_URL_CHARS = 4_096;
const HTTP = /^https?:\/\//i;
const BARE_HOST = /^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}(?::\d{1,5})?(?:[/?#]|$)/i;

/** A URL fit to leave us, and how many personal parts were taken out of it. */
export type CleanUrl = { readonly url: string; readonly removed: number };

/**
 * `event_source_url` and `referrer_url` without personal data: credentials in the authority, e-mail addresses in the
 * path, query parameters whose name or value is personal, fragments that hold data. Everything else stays byte for byte,
 * as custom conversions match on it. A host without a scheme gets https. Undefined for what is no web address.
 */
export function cleanUrl(written: string, identity: PlainIdentity): CleanUrl | undefined {
  const text = written.trim();
  const url = HTTP.test(text) ? text : BARE_HOST.test(text) ? `https://${text}` : '';
  if (url === '' || !URL.canParse(url)) return undefined;
  let removed = 0;

  const [beforeFragment, fragment] = split(url, '#');
  const [address, query] = split(beforeFragment, '?');
  const authorityStart = address.indexOf('//') + 2;
  const slash = address.indexOf('/', authorityStart);
  const authority = address.slice(authorityStart, slash < 0 ? undefined : slash);
  let path = slash < 0 ? '' : address.slice(slash);
  let host = authority;
  if (authority.includes('@')) {
    host = authority.slice(authority.lastIndexOf('@') + 1);
    removed++;
  }
  if (hasEmail(path)) {
    path = path
      .split('/')
      .map((segment) => (hasEmail(segment) ? '-' : segment))
      .join('/');
    removed++;
  }

  let keptQuery = '';
  if (query !== undefined && url.length > MAX_URL_CHARS) removed++;
  else if (query !== undefined) {
    const parameters = query.split('&');
    const kept = parameters.filter((parameter) => !isPersonal(parameter, identity));
    removed += parameters.length - kept.length;
    if (kept.length > 0) keptQuery = `?${kept.join('&')}`;
  }
  let keptFragment = '';
  if (fragment !== undefined) {
    if (fragment.length <= 512 && !/[=@]|%40|%3d/i.test(fragment)) keptFragment = `#${fragment}`;
    else removed++;
  }
  const clean = `${address.slice(0, authorityStart)}${host}${path}${keptQuery}${keptFragment}`;
  return clean.length > MAX_URL_CHARS ? undefined : { url: clean, removed };
}

function isPersonal(parameter: string, identity: PlainIdentity): boolean {
  const [name, value = ''] = split(parameter, '=');
  const plainName = unescaped(name);
  // A click id is no text of anybody's, unless somebody put an address into it.
  if (plainName === 'fbclid') return hasEmail(unescaped(value));
  return (
    isPersonalParameter(plainName) || hasEmail(plainName) || isPersonalValue(plainName, unescaped(value), identity)
  );
}

function split(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function unescaped(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
