import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AccessToken, asFallbackToken } from './access-token.ts';
import { createAdAccount } from './ad-accounts.ts';
import { createChildBusiness, findChildBusinessByExternalId } from './businesses.ts';
import type { NewChildBusiness } from './businesses.ts';
import { sendEvents } from './conversions.ts';
import { credentialFor } from './credentials.ts';
import { shareCreditLine } from './credit-lines.ts';
import type { GraphClient } from './graph-client.ts';
import { debugToken } from './oauth.ts';
import { sharePageWithAgency } from './pages.ts';
import { childTokenPermissions, userPermissions } from './permissions.ts';
import { createPixel } from './pixels.ts';
import { mintChildToken } from './system-users.ts';

const user = new AccessToken('user', 'EAAuser');
const parent = new AccessToken('parent', 'EAAparent');
const child = new AccessToken('child', 'EAAchild');

describe('who may do what', () => {
  // Never run: the type checker is what passes or fails here. An unused `@ts-expect-error` is an error itself.
  test('the compiler refuses every call with a token that is not its own', () => {
    const calls = (client: GraphClient): Promise<unknown>[] => {
      const business: NewChildBusiness = {
        parentBusinessId: '1',
        name: 'x',
        vertical: 'RETAIL',
        childBusinessExternalId: 'x',
      };
      const either: AccessToken<'child' | 'user'> = child;
      const account = { businessId: '1', name: 'x', currency: 'TRY', timezoneId: 1, endAdvertiser: 'NONE' };
      const events = { datasetId: '1', events: [{}] };
      const share = { extendedCreditId: '1', receivingBusinessId: '2' };
      const mint = { childBusinessId: '1', appId: '2', scopes: [] };
      const key = { parentBusinessId: '1', childBusinessExternalId: 'x' };
      return [
        createChildBusiness(client.as(user), business),
        // @ts-expect-error the client's consent creates the child business, not the parent's system user
        createChildBusiness(client.as(parent), business),
        // @ts-expect-error nor the child's
        createChildBusiness(client.as(child), business),
        findChildBusinessByExternalId(client.as(parent), key),
        // @ts-expect-error a user token may not list the parent's businesses
        findChildBusinessByExternalId(client.as(user), key),
        mintChildToken(client.as(parent), mint),
        // @ts-expect-error a child cannot mint itself
        mintChildToken(client.as(child), mint),
        shareCreditLine(client.as(parent), share),
        // @ts-expect-error the credit line is the parent's to share
        shareCreditLine(client.as(child), share),
        createAdAccount(client.as(child), account),
        createAdAccount(client.as(asFallbackToken(parent)), account),
        // @ts-expect-error a user token never opens an ad account
        createAdAccount(client.as(user), account),
        // @ts-expect-error the parent's token opens one only on the fallback path, which says so
        createAdAccount(client.as(parent), account),
        // @ts-expect-error pixels are the child's
        createPixel(client.as(user), { adAccountId: '1', name: 'x' }),
        // @ts-expect-error events are sent by the tenant's system user
        sendEvents(client.as(user), events),
        // @ts-expect-error a token that may be one or the other is neither
        sendEvents(client.as(either), events),
        // @ts-expect-error only the Page's side may let an agency in
        sharePageWithAgency(client.as(child), { pageId: '1', agencyBusinessId: '2' }),
        // @ts-expect-error tokens are inspected as the app
        debugToken(client.as(user), child),
        // @ts-expect-error only the parent stands in on the fallback path
        createAdAccount(client.as(asFallbackToken(user)), account),
      ];
    };
    expect(calls).toBeTypeOf('function');
  });

  test("the document's token model stands in the table", () => {
    expect(credentialFor['create-child-business']).toBe('user');
    expect(credentialFor['mint-child-token']).toBe('parent');
    expect(credentialFor['share-credit-line']).toBe('parent');
    for (const operation of ['create-ad-account', 'create-pixel', 'create-catalog', 'send-events'] as const) {
      expect(credentialFor[operation]).toEqual(['child', 'fallback']);
    }
  });

  test('organic posting is never asked for', () => {
    for (const catalog of [true, false]) {
      const asked = [...userPermissions({ catalog }), ...childTokenPermissions({ catalog })];
      expect(asked).not.toContain('pages_manage_posts');
      expect(asked.includes('catalog_management')).toBe(catalog);
    }
  });
});

describe('an access token', () => {
  test('shows only whose it is, however it is printed', () => {
    const shown = [String(child), JSON.stringify({ child }), inspect({ child }, { depth: 9, showHidden: true })];
    for (const text of shown) {
      expect(text).toContain('[child token]');
      expect(text).not.toContain('EAA');
    }
    expect(Object.values(child)).toEqual(['child']);
    expect(Object.getOwnPropertyNames(child)).toEqual(['kind']);
    expect(child.reveal()).toBe('EAAchild');
  });

  test('that could break out of a header is refused without being shown', () => {
    for (const text of ['', 'EAA x', 'EAA\r\nx-evil: 1', 'EAAğ']) {
      expect(() => new AccessToken('user', text)).toThrow(/^A user token must be printable ASCII without spaces$/);
    }
  });
});
