/** A web origin as browsers write it in `Origin`; undefined for none, for `null` and for anything else. */
export function originOf(header: string | undefined): URL | undefined {
  if (header === undefined || !/^https?:\/\//i.test(header) || !URL.canParse(header)) return undefined;
  const url = new URL(header);
  return url.origin === header.toLowerCase() ? url : undefined;
}

/**
 * Whether a page of this origin may send: scheme, host and port as listed. Subdomains are origins of their own. An entry
 * may be written with capitals, its default port or a slash; one that is no origin lets nobody in.
 */
export function isListed(origin: URL, listed: readonly string[]): boolean {
  return listed.some((entry) => URL.canParse(entry) && new URL(entry).origin === origin.origin);
}

/** What lets the page's script send cookies and read the answer. */
export function corsHeaders(origin: URL): Record<string, string> {
  return {
    'access-control-allow-origin': origin.origin,
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  };
}
