import { hash } from 'node:crypto';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';

/** Markup that may be sent as it is. Only {@link markup} makes it, so text cannot become markup unescaped. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | readonly Markup[];

/** A template whose values are escaped, unless they are markup made by this function. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(
    strings.map((text, index) => text + (index < values.length ? escaped(values[index]) : '')).join(''),
  );
}

function escaped(part: Part | undefined): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map((item) => item.text).join('');
  return String(part ?? '').replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f3f5f9,#14171f);color:light-dark(#1c2330,#e8ebf2)}
main{box-sizing:border-box;width:min(32rem,100vw);padding:2.5rem;background:light-dark(#fff,#1e222c);border-radius:1rem;box-shadow:0 1px 16px #0002}
h1{margin:0 0 .75rem;font-size:1.4rem}p{margin:.6rem 0}
label{display:flex;gap:.75rem;align-items:center;padding:.75rem 1rem;margin:.5rem 0;border:1px solid #8886;border-radius:.6rem;cursor:pointer}
small{opacity:.7}
button,a.button{display:inline-block;margin-top:1rem;padding:.7rem 1.4rem;border:0;border-radius:.6rem;background:#1868f2;color:#fff;font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
`.trim();

/**
 * Nothing but this page's own style may load, only this function may be posted to, no other site may frame it. The
 * address of these pages holds a login code, so it is neither cached nor sent on as a referrer.
 */
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
} as const;

/** A whole page. */
export function page(status: number, title: string, content: Markup, headers: Record<string, string> = {}): HttpAnswer {
  const document = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Kobi</title>
<style>${new Markup(style)}</style>
</head>
<body><main><h1>${title}</h1>
${content}
</main></body>
</html>
`;
  return { status, headers: { ...pageHeaders, ...headers }, body: document.text };
}
