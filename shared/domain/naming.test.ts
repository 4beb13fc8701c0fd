import { describe, expect, it } from 'vitest';
import { metaObjectName, secretName, slugPattern } from './naming.ts';

describe('names of a tenant', () => {
  it('names the child business and its ad account as the document says', () => {
    expect(metaObjectName('acme-shop')).toBe('kobi_acme-shop_meta');
  });

  it.each(['acme', 'acme-shop', 'a1b', 'a2-b3-c4', `a${'b'.repeat(31)}`])('takes the slug %s', (slug) => {
    expect(slug).toMatch(slugPattern);
  });

  it.each(['', 'ab', 'Acme', '1acme', 'acme-', 'acme--shop', 'acme_shop', 'acmé', '../acme', `a${'b'.repeat(32)}`])(
    'refuses the slug “%s”',
    (slug) => {
      expect(slug).not.toMatch(slugPattern);
    },
  );

  it('no secret of one tenant can be read under the name of another', () => {
    const names = ['acme', 'acme-user', 'acme-system'].flatMap((tenant) => [
      secretName.userToken(tenant),
      secretName.systemToken(tenant),
      secretName.relayKey(tenant),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });
});
