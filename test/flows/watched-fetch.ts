/** Every HTTP exchange of this process with one address, as text: what a scan for leaked values looks through. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly responseHeaders: string;
  readonly responseBody: string;
}

/** Watches the global `fetch` until `stop`. Only exchanges with addresses that begin with `prefix` are kept. */
export function watchFetch(prefix: () => string): { readonly exchanges: Exchange[]; stop(): void } {
  const exchanges: Exchange[] = [];
  const original = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const response = await original(input, init);
    const url = input instanceof Request ? input.url : String(input);
    if (prefix() !== '' && url.startsWith(prefix())) {
      exchanges.push({
        method: init?.method ?? 'GET',
        url,
        status: response.status,
        responseHeaders: JSON.stringify([...response.headers]),
        responseBody: await response.clone().text(),
      });
    }
    return response;
  };
  return { exchanges, stop: () => void (globalThis.fetch = original) };
}
