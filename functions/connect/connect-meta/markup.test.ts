import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { markup, page } from './markup.ts';
import { choosePagePage, connectedPage } from './pages.ts';

const hostile = `"><script>alert('x')</script>&\``;

it('whatever a page shows is escaped, in text and in attributes', () => {
  expect(markup`<a href="${hostile}">${hostile}</a>`.text).not.toMatch(/<script|alert\('|"">/);
  const { body } = choosePagePage(
    [{ id: '1', name: hostile, tasks: [], instagram: { id: '2', username: hostile } }],
    '/page',
    hostile,
  );
  expect(body).not.toContain('<script');
  expect(connectedPage(hostile).body).not.toContain('<script');
});

it('markup made by the same function stays markup', () => {
  const items = [markup`<li>${'a&b'}</li>`, markup`<li>c</li>`];
  expect(markup`<ul>${items}</ul>`.text).toBe('<ul><li>a&#38;b</li><li>c</li></ul>');
});

it('a page loads nothing but its own style, sends no referrer and is kept by no cache', () => {
  const { body, headers } = page(200, 'Title', markup`<p>x</p>`);
  const style = /<style>([^]*)<\/style>/.exec(body)?.[1] ?? '';
  expect(headers['content-security-policy']).toContain(`style-src 'sha256-${hash('sha256', style, 'base64')}'`);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
});
