import { getDomain } from 'tldts';

/**
 * The domain a cookie is set on so that all subdomains share it, from the public suffix list: `shop.example.co.uk` →
 * `example.co.uk`. Undefined for addresses, `localhost` and public suffixes. Takes a host name or a URL. Private suffixes
 * count: two shops under `myshopify.com` share no cookie.
 */
export function registrableDomain(hostOrUrl: string): string | undefined {
  return getDomain(hostOrUrl, { allowPrivateDomains: true }) ?? undefined;
}

/**
 * The index in `_fbc` and `_fbp`: labels of the cookie's domain minus one (com 0, example.com 1, example.co.uk 2), as
 * Meta's Parameter Builder counts. 0 for hosts without a registrable domain.
 */
export function subdomainIndexOf(hostOrUrl: string): number {
  const domain = registrableDomain(hostOrUrl);
  return domain === undefined ? 0 : domain.split('.').length - 1;
}
