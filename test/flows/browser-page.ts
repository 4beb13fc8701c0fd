/** A client's shop, as a page in real Chromium: its own server, the pixel's base code and a stand-in for fbevents.js. */
import { access } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Why the browser tests cannot run here; undefined when they can. */
export async function missingBrowser(): Promise<string | undefined> {
  return access(executablePath).then(
    () => undefined,
    () => `no Chromium at ${executablePath}; install it or set CHROMIUM_PATH`,
  );
}

/** Names under the client's domain lead to this machine; nothing else is resolved. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--host-resolver-rules=MAP *.acme.example 127.0.0.1, MAP *.other.example 127.0.0.1, MAP * ~NOTFOUND',
    ],
  });
}

/** Meta's base code ("Get Started with the Meta Pixel"), with our stand-in for its script. */
export const pixelBaseCode = `<script>
!function(f,b,e,v,n,t,s)
{if(f.fbq)return;n=f.fbq=function(){n.callMethod?
n.callMethod.apply(n,arguments):n.queue.push(arguments)};
if(!f._fbq)f._fbq=n;n.push=n;n.loaded=!0;n.version='2.0';
n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];
s.parentNode.insertBefore(t,s)}(window, document,'script','/fbevents.js');
fbq('init', '111');
fbq('track', 'PageView');
</script>`;

/** Records what the pixel would send to Meta, in the way fbevents.js takes over from the base code. */
const fbevents = `(function(){var f=window.fbq;window.pixelSent=[];
f.callMethod=function(){window.pixelSent.push([].slice.call(arguments))};
while(f.queue.length)f.callMethod.apply(f,f.queue.shift())})();`;

export interface Shop {
  readonly port: number;
  /** What every path answers with from now on: the inside of the page's head. */
  show(head: string): void;
  close(): Promise<void>;
}

export async function startShop(): Promise<Shop> {
  let head = '';
  const server = createServer((request, response) => {
    const isScript = request.url === '/fbevents.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(
      isScript ? fbevents : `<!doctype html><html><head><title>Shop</title>${head}</head><body>Shop</body></html>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    show: (html) => void (head = html),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
