import type { HttpCall } from '../../../shared/runtime/http-function.ts';

const cookieName = 'kobi_connect';
const cookiePattern = /^[\w-]{43}$/;

/** The secret this browser was given; undefined when it has none of ours. */
export function browserOf(call: Pick<HttpCall, 'cookie'>): string | undefined {
  const value = call.cookie(cookieName);
  return value !== undefined && cookiePattern.test(value) ? value : undefined;
}

/**
 * Gives the browser its secret for an hour. Not readable by scripts, not sent with other sites' form posts or frames,
 * but sent when Facebook sends the person back (SameSite=Lax lets top-level navigation through).
 */
export function browserCookie(browser: string, baseUrl: string): string {
  const { pathname, protocol } = new URL(baseUrl);
  const secure = protocol === 'https:' ? '; Secure' : '';
  return `${cookieName}=${browser}; Path=${pathname}; Max-Age=3600; HttpOnly; SameSite=Lax${secure}`;
}
