import { describe, expect, test } from 'vitest';
import type { Warning } from '../identifiers/finding.ts';
import type { HashedServerEvent } from '../server-event/server-event.ts';
import { consentOf } from './consent.ts';
import { contentIdRegExp, foreignContentIds, maxContentIdChars } from './content-id-pattern.ts';
import { isKnownBot } from './known-bot.ts';
import { personKeys } from './person-keys.ts';
import { limited, policyOf, treat } from './policy.ts';
import type { PolicyOwner, PolicySettings } from './policy.ts';

const settings: PolicySettings = {
  consent: { absent: 'send', denied: 'drop' },
  limitedDataUse: { country: 1, state: 1000 },
  bots: 'flag',
  events: null,
  contentIdPattern: null,
};
const event: HashedServerEvent = {
  event_name: 'Purchase',
  event_time: 1_760_000_000,
  event_id: 'order-1',
  action_source: 'website',
  user_data: { em: 'a'.repeat(64), client_user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0' },
  custom_data: { value: 1, currency: 'TRY', content_ids: ['sku-1'] },
};

function treated(
  consent: 'granted' | 'denied' | 'absent',
  changed: Partial<PolicySettings> = {},
  given = event,
  eventsOfKey: string[] | null = null,
  vertical: PolicyOwner['vertical'] = 'ecommerce',
): { treatment: ReturnType<typeof treat>; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const owner: PolicyOwner = { datasetId: '111', vertical, settings: { ...settings, ...changed } };
  const treatment = treat(given, consent, policyOf(owner, eventsOfKey), warnings);
  return { treatment, warnings };
}

describe('the consent an event carries', () => {
  test.each<[unknown, string]>([
    [undefined, 'absent'],
    [null, 'absent'],
    ['', 'absent'],
    [{}, 'absent'],
    [{ analytics_storage: 'denied' }, 'absent'],
    ['granted', 'granted'],
    ['Denied', 'denied'],
    [true, 'granted'],
    [0, 'denied'],
    [{ ad_user_data: 'granted' }, 'granted'],
    [{ ad_user_data: 'granted', ad_storage: 'denied' }, 'denied'],
    [{ ad_storage: 'denied', ad_user_data: 'granted' }, 'denied'],
    [{ ad_personalization: false, marketing: true }, 'denied'],
    [{ marketing: 'granted', ad_user_data: null, functional: 'denied' }, 'granted'],
  ])('%j is %s', (consent, signal) => {
    expect(consentOf({ consent })).toBe(signal);
  });

  test.each([['perhaps'], [2], [['granted']], [{ ad_user_data: 'unspecified' }], [{ marketing: {} }]])(
    '%j cannot be read and is refused, never guessed',
    (consent) => {
      expect(consentOf({ consent })).toMatchObject({ code: 'unreadable_consent' });
    },
  );

  test('a purpose that an object only inherits is not a signal', () => {
    const inherited = Object.create({ marketing: 'granted' }) as object;
    expect(consentOf({ consent: inherited })).toBe('absent');
  });
});

describe('what becomes of an event', () => {
  test.each(['send', 'limited-data-use', 'hold', 'drop'] as const)(
    'granted consent sends the event whatever the settings say of others (%s)',
    (absent) => {
      const { treatment } = treated('granted', { consent: { absent, denied: 'drop' } });
      expect(treatment).toEqual({ kind: 'send', event });
    },
  );

  test.each([
    ['absent', { absent: 'send', denied: 'drop' }, 'send'],
    ['absent', { absent: 'limited-data-use', denied: 'drop' }, 'send'],
    ['absent', { absent: 'hold', denied: 'drop' }, 'hold'],
    ['absent', { absent: 'drop', denied: 'drop' }, 'drop'],
    ['denied', { absent: 'send', denied: 'drop' }, 'drop'],
    ['denied', { absent: 'send', denied: 'limited-data-use' }, 'send'],
    ['denied', { absent: 'hold', denied: 'drop' }, 'drop'],
  ] as const)('%s under %j: %s', (signal, consent, kind) => {
    expect(treated(signal, { consent }).treatment.kind).toBe(kind);
  });

  test('Limited Data Use carries the place of the tenant, and one that the sender asked for keeps its own', () => {
    const { treatment } = treated('absent', { consent: { absent: 'limited-data-use', denied: 'drop' } });
    const place = { data_processing_options_country: 1, data_processing_options_state: 1000 };
    expect(treatment).toMatchObject({ kind: 'send', event: { data_processing_options: ['LDU'], ...place } });
    const own: HashedServerEvent = { ...event, data_processing_options: ['LDU'], data_processing_options_country: 0 };
    expect(limited(own, settings.limitedDataUse)).toBe(own);
    expect(limited({ ...event, data_processing_options: [] }, settings.limitedDataUse)).toMatchObject(place);
  });

  test('an event that would wait for somebody nobody can find again is dropped, not kept for ever', () => {
    const anonymous = { ...event, user_data: { client_ip_address: '85.105.12.7', client_user_agent: 'M' } };
    expect(treated('absent', { consent: { absent: 'hold', denied: 'drop' } }, anonymous).treatment).toEqual({
      kind: 'drop',
      reason: 'consent_nobody_to_ask',
    });
  });

  test('an event outside the allow-list of the tenant or of the key is refused with the reason', () => {
    expect(treated('granted', { events: ['Lead'] }).treatment).toMatchObject({ reason: { code: 'event_not_allowed' } });
    expect(treated('granted', {}, event, ['Lead']).treatment).toMatchObject({ reason: { code: 'event_not_of_key' } });
    expect(treated('granted', { events: ['Purchase'] }, event, ['Purchase']).treatment.kind).toBe('send');
  });

  const crawler = { ...event, user_data: { ...event.user_data, client_user_agent: 'Googlebot/2.1' } };
  test.each([
    ['send', 'send', []],
    ['flag', 'send', ['known_bot']],
    ['drop', 'drop', []],
  ] as const)('a crawler with bots: %s', (bots, kind, codes) => {
    const { treatment, warnings } = treated('granted', { bots }, crawler);
    expect([treatment.kind, warnings.map(({ code }) => code)]).toEqual([kind, codes]);
  });

  test('content ids of another form than the catalog’s are warned of, and the conversion is not lost', () => {
    const { treatment, warnings } = treated('granted', { contentIdPattern: 'prd-\\d+' });
    expect([treatment.kind, warnings.map(({ code }) => code)]).toEqual(['send', ['content_id_form']]);
    expect(treated('granted', { contentIdPattern: 'sku-\\d+' }).warnings).toEqual([]);
  });

  test('a shop’s event that no catalog could match is warned of and sent; what has no basket, or was sold over the counter, is not', () => {
    const bare = { ...event, custom_data: { value: 1, currency: 'TRY', content_ids: [''] } };
    const { treatment, warnings } = treated('granted', {}, bare);
    expect([treatment.kind, warnings.map(({ code }) => code)]).toEqual(['send', ['content_ids_missing']]);
    const none = (given: HashedServerEvent, vertical: PolicyOwner['vertical']): Warning[] =>
      treated('granted', {}, given, null, vertical).warnings;
    expect(none({ ...bare, custom_data: { contents: [{ id: 7 }] } }, 'ecommerce')).toEqual([]);
    expect(none({ ...bare, event_name: 'Contact' }, 'ecommerce')).toEqual([]);
    expect(none({ ...bare, action_source: 'physical_store' }, 'ecommerce')).toEqual([]);
    expect(none(bare, 'restaurant')).toEqual([]);
  });
});

describe('crawlers', () => {
  test.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/129.0.0.0 Safari/537.36',
  ])('%s is known', (userAgent) => expect(isKnownBot(userAgent)).toBe(true));

  test.each([
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1',
    'Mozilla/5.0',
  ])('%s is not', (userAgent) => expect(isKnownBot(userAgent)).toBe(false));
});

describe('names of a person', () => {
  test('each identifier finds the person, in no other dataset, and none is in its own name', () => {
    const userData = {
      em: ['a'.repeat(64), 'b'.repeat(64)],
      external_id: 'c'.repeat(64),
      client_ip_address: '1.1.1.1',
    };
    const keys = personKeys('111', userData);
    expect(keys).toHaveLength(3);
    expect(keys).toEqual(expect.arrayContaining(personKeys('111', { em: 'b'.repeat(64) })));
    expect(personKeys('222', userData).some((key) => keys.includes(key))).toBe(false);
    expect(keys.join()).not.toContain('c'.repeat(64));
    expect(personKeys('111', { client_ip_address: '1.1.1.1', country: 'x' })).toEqual([]);
  });
});

describe('content id patterns', () => {
  test.each<[string, string[], string[]]>([
    ['sku-\\d+', ['sku-1', 'sku-123'], ['sku-', 'xsku-1', 'sku-1 ', 'SKU-1']],
    ['^(sku|prd)-[A-Z0-9_]{4}$', ['sku-AB12'], ['sku-ab12', 'prd-AB123']],
    ['[a-z.]+', ['a.b'], ['']],
    ['\\w{1,8}', ['abc_1'], ['abcdefghi']],
  ])('%s', (pattern, good, bad) => {
    const regExp = contentIdRegExp(pattern);
    if (regExp === undefined) throw new Error('refused');
    expect(foreignContentIds({ content_ids: good }, regExp)).toBe(0);
    expect(foreignContentIds({ contents: bad.map((id) => ({ id })) }, regExp)).toBe(bad.length);
  });

  test.each([
    '',
    '(a+)+',
    '(a|aa)*b',
    '(?:a|b)+',
    '(?=a)b',
    '(?<n>a)',
    '(a)\\1',
    'a*b*c*d',
    '.*.*.*x',
    '((a))',
    '[a-',
    'a{1,2}{3}',
    '(a{1,99})',
    'x'.repeat(201),
    '[z-a]',
  ])('%s is not taken', (pattern) => expect(contentIdRegExp(pattern)).toBeUndefined());

  test('the slowest pattern that is taken and the slowest id take no time worth a thought', () => {
    const regExp = contentIdRegExp('.*.*x');
    if (regExp === undefined) throw new Error('refused');
    const ids = Array.from({ length: 1_000 }, () => 'y'.repeat(maxContentIdChars));
    const startedAt = performance.now();
    expect(foreignContentIds({ content_ids: ids }, regExp)).toBe(1_000);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(foreignContentIds({ content_ids: 'y'.repeat(1_000_000) }, regExp)).toBe(1);
  });
});
