/** A person's browser, as far as a login needs one: it keeps cookies and follows redirects. */

/** A page as the browser shows it. */
export interface ShownPage {
  readonly url: string;
  readonly status: number;
  readonly title: string;
  readonly html: string;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly value: string;
}

const maxRedirects = 10;

export class Browser {
  readonly #cookies = new Map<string, Cookie>();

  /** Opens an address and follows it to a page. `onRedirect` may send the person elsewhere, as a click would. */
  async open(address: string, onRedirect: (to: URL) => URL = (to) => to): Promise<ShownPage> {
    let url = new URL(address);
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const response = await fetch(url, { redirect: 'manual', headers: { cookie: this.#cookieHeader(url) } });
      for (const line of response.headers.getSetCookie()) this.#keep(line, url);
      const location = response.headers.get('location');
      const html = await response.text();
      if (location === null || response.status < 300 || response.status > 399) {
        const title = /<title>([^<]*)<\/title>/i.exec(html)?.[1]?.trim() ?? '';
        return { url: url.href, status: response.status, title, html };
      }
      url = onRedirect(new URL(location, url));
    }
    throw new Error(`${address} redirects more than ${maxRedirects} times`);
  }

  #keep(line: string, from: URL): void {
    const [pair = '', ...attributes] = line.split(';');
    const [name = '', ...value] = pair.split('=');
    const path = attributes.map((attribute) => attribute.trim()).find((attribute) => /^path=/i.test(attribute));
    this.#cookies.set(name.trim(), {
      host: from.host,
      path: path === undefined ? '/' : path.slice('path='.length),
      value: value.join('=').trim(),
    });
  }

  #cookieHeader(url: URL): string {
    return [...this.#cookies]
      .filter(([, cookie]) => cookie.host === url.host && url.pathname.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  }
}
