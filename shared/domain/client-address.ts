/**
 * The address of the person, for `user_data.client_ip_address`. Meta matches on it in plain, prefers IPv6 and gains
 * nothing from addresses that are not the person's: private ones, documentation ranges, Google's load balancers.
 */

/** What stands between the sender and us, which decides where in X-Forwarded-For the sender is. */
export type Proxy =
  /** Cloud Run and functions at their own URL: Google appends the client as the last entry. */
  | 'serverless'
  /** An external Application Load Balancer: it appends `<client>,<load balancer>`. */
  | 'load-balancer'
  /** Nothing: only the socket is true, the header is the sender's word. */
  | 'none';

/**
 * The public address a request came from, or undefined. Entries that the sender itself put in X-Forwarded-For stand
 * before those Google appends ("External Application Load Balancer overview", X-Forwarded-For header) and are not read.
 */
export function requestAddress(
  remoteAddress: string | undefined,
  forwardedFor: string | undefined,
  proxy: Proxy,
): string | undefined {
  if (proxy === 'none' || forwardedFor === undefined || forwardedFor.trim() === '') {
    return remoteAddress === undefined ? undefined : publicAddress(remoteAddress);
  }
  const fromEnd = proxy === 'load-balancer' ? 2 : 1;
  // A header of megabytes is not split: what Google appends is short and at the end.
  const entry = forwardedFor.slice(-256).split(',').at(-fromEnd);
  return entry === undefined ? undefined : publicAddress(entry);
}

/** Of the addresses known for one person, in the order of trust: the first IPv6, else the first. */
export function preferredAddress(...addresses: readonly (string | undefined)[]): string | undefined {
  return addresses.find((address) => address?.includes(':')) ?? addresses.find((address) => address !== undefined);
}

/**
 * The address to send to Meta: lower case, without port, brackets or zone, IPv4 in IPv6 clothes unwrapped. Undefined for
 * anything that is no address or not reachable from the public internet (IANA special-purpose registries).
 */
export function publicAddress(written: string): string | undefined {
  if (written.length > 64) return undefined;
  const address = withoutPort(written.trim().toLowerCase());
  const ipv4 = ipv4Number(address);
  if (ipv4 !== undefined) return isPublicIpv4(ipv4) ? address : undefined;
  const groups = ipv6Groups(address);
  if (groups === undefined) return undefined;
  const embedded = embeddedIpv4(groups);
  if (embedded !== undefined) return isPublicIpv4(embedded) ? dotted(embedded) : undefined;
  return isPublicIpv6(groups) ? address : undefined;
}

/** `.` after taking away the code of `0`. */
const DOT = -2;

function withoutPort(text: string): string {
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    return /^\](?::\d{1,5})?$/.test(text.slice(end)) ? text.slice(1, end) : '';
  }
  const colon = text.indexOf(':');
  const onePort = colon > 0 && colon === text.lastIndexOf(':') && /^\d{1,5}$/.test(text.slice(colon + 1));
  return onePort ? text.slice(0, colon) : text;
}

/** Four decimal octets without leading zeros, as one number. */
function ipv4Number(text: string): number | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  let number = 0;
  let octet = -1;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) return undefined;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return undefined;
    } else {
      if (digit !== DOT || octet < 0 || ++dots > 3) return undefined;
      number = number * 256 + octet;
      octet = -1;
    }
  }
  return dots === 3 && octet >= 0 ? number * 256 + octet : undefined;
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

/** IANA IPv4 special-purpose registry, with multicast and the reserved class E: [first address, prefix length]. */
const SPECIAL_IPV4 = (
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 ' +
  '192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4'
)
  .split(' ')
  .map((block) => {
    const [first = '', length = ''] = block.split('/');
    const size = 2 ** (32 - Number(length));
    const start = ipv4Number(first) ?? 0;
    return { start, end: start + size };
  });

function isPublicIpv4(number: number): boolean {
  for (const { start, end } of SPECIAL_IPV4) if (number >= start && number < end) return false;
  return true;
}

const GROUP = /^[0-9a-f]{1,4}$/;

function ipv6Groups(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return undefined;
  const lastColon = text.lastIndexOf(':');
  const tail = ipv4Number(text.slice(lastColon + 1));
  const hex =
    tail === undefined
      ? text
      : `${text.slice(0, lastColon + 1)}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}`;
  const halves = hex.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], rest = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (![...head, ...rest].every((group) => GROUP.test(group))) return undefined;
  const missing = 8 - head.length - rest.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array<string>(missing).fill('0'), ...rest].map((group) => Number.parseInt(group, 16));
}

/** The IPv4 inside ::ffff:a.b.c.d (mapped) and 64:ff9b::a.b.c.d (NAT64). */
function embeddedIpv4(groups: readonly number[]): number | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, high = 0, low = 0] = groups;
  const mapped = a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0xffff;
  const nat64 = a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0;
  return mapped || nat64 ? high * 65_536 + low : undefined;
}

/** Global unicast is 2000::/3; inside it 2001::/23 is for protocols, 2001:db8::/32 and 3fff::/20 for documentation, 2002::/16 is 6to4. */
function isPublicIpv6([first = 0, second = 0]: readonly number[]): boolean {
  if (first < 0x2000 || first > 0x3fff) return false;
  if (first === 0x2001) return second > 0x01ff && second !== 0x0db8;
  return first !== 0x2002 && !(first === 0x3fff && second < 0x1000);
}
