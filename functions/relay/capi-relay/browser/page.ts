/** What the script uses of a page. Written out because the product is type-checked without the browser's own types. */

/** The pixel's global function; before fbevents.js is there it keeps calls in `queue`. */
export interface Pixel {
  (...args: readonly unknown[]): unknown;
  queue?: ArrayLike<unknown>[];
  callMethod?: unknown;
  disablePushState?: boolean;
}

/** `window.kobi`: a function with the few properties that the snippet and the script share. */
export interface Kobi {
  (...args: readonly unknown[]): void;
  /** Calls made before the script was there; afterwards its door. */
  q?: ArrayLike<ArrayLike<unknown>> | { push(call: ArrayLike<unknown>): void };
  /** The address the page was opened with. */
  u?: string;
  /** Sees a call to the pixel and gives what to call it with. */
  b?: (args: ArrayLike<unknown>) => readonly unknown[];
  /** Puts itself before the pixel. */
  p?: (pixel: Pixel | undefined) => Pixel | undefined;
  /** The pixel as the page assigned it. */
  r?: Pixel | undefined;
  /** The script has taken over. */
  v?: 1;
}

export interface Page {
  kobi?: Kobi;
  fbq?: Pixel | undefined;
  readonly document: { cookie: string; readonly referrer: string; readonly currentScript: { src?: string } | null };
  readonly location: {
    readonly href: string;
    readonly protocol: string;
    readonly hostname: string;
    readonly pathname: string;
  };
  readonly navigator: { sendBeacon?: (url: string, body: string) => boolean };
  readonly history: Record<'pushState' | 'replaceState', (this: unknown, ...args: unknown[]) => unknown>;
  fetch(url: string, options: Readonly<Record<string, unknown>>): Promise<unknown>;
  addEventListener(type: 'popstate', listener: () => void): void;
}
