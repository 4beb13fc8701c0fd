import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hashUserData, MAX_VALUES_PER_KEY, type IdentifierContext } from './hash-user-data.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const turkish: IdentifierContext = { country: 'TR', languages: ['tr'] };

/** The hashes of one key, always as a list. */
function hashesOf(key: string, value: unknown, context: IdentifierContext = {}): string[] {
  const hashed = hashUserData({ [key]: value }, context).userData[key];
  return hashed === undefined ? [] : [hashed].flat().map(String);
}
function codesOf(key: string, value: unknown, context: IdentifierContext = {}): string[] {
  return hashUserData({ [key]: value }, context).warnings.map(({ code }) => code);
}

describe("worked examples of Meta's reference page", () => {
  test.each([
    ['em', 'John_Smith@gmail.com', '62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f', {}],
    ['ph', '(650)555-1212', 'e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176', { country: 'US' }],
    ['fn', 'Mary', '6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec', {}],
    ['fn', '정', '8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14', {}],
    ['fn', 'Valéry', '08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c', {}],
    ['db', '2/16/1997', '01acdbf6ec7b4f478a225f1a246e5d6767eeab1a7ffa17f025265b5b94f40f0c', {}],
    ['country', 'United States', '79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621', {}],
    ['ct', 'paris', '1670f2e42fefa5044d59a65349e47c566009488fc57d7b4376dd5787b59e3c57', {}],
    ['ct', 'london', '6089854c94ca5454b76be6752c562901a985f64c9a946f62976aeab593b83161', {}],
    ['ct', 'New York', '350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5', {}],
    ['st', 'az', '9c0ada37bf74aeefae949fdfc90db0cf6eaf90192eff67d65887771f0585e055', {}],
    ['st', 'ca', '6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126', {}],
    ['zp', '94035', '1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e', {}],
    ['zp', '1987', '744b93f9950fc38dad705556931ea48193b99dcb191cc9bd77097f65fbe2f0b8', {}],
    ['zp', '75018', '8dc3075ea745609c169d1c120d3fcd1c42673d16f18b423f4374e894d34a098a', {}],
    ['zp', 'M1 1AE', '1dc694c2070e697769fb959b50671d76cafd430d8ca191fbdd0affcaea344ac5', {}],
    ['ge', 'f', '252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111', {}],
    ['ge', 'm', '62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a', {}],
  ] as const)('%s %j has the digest Meta matches', (key, input, digest, context) => {
    expect(hashesOf(key, input, context)).toContain(digest);
  });
});

describe('letters', () => {
  test('a Turkish name is sent in its a-z spelling and in UTF-8, never with U+0307', () => {
    expect(hashesOf('fn', 'İSMAİL')).toEqual([sha256('ismail')]);
    expect(hashesOf('ln', 'Yılmaz')).toEqual([sha256('yilmaz'), sha256('yılmaz')]);
    expect(hashesOf('ct', 'Şanlıurfa')).toEqual([sha256('sanliurfa'), sha256('şanlıurfa')]);
    expect(hashesOf('ct', 'İstanbul')).toEqual([sha256('istanbul')]);
    expect(hashesOf('fn', 'I\u0307smail')).toEqual([sha256('ismail')]);
  });

  test('composed and decomposed letters give the same hash', () => {
    expect(hashesOf('ct', 'Iğdır'.normalize('NFD'))).toEqual(hashesOf('ct', 'Iğdır'));
  });

  test('a zero-width character inside a value changes no hash', () => {
    const texts = {
      em: 'jo|hn@x.com',
      ph: '+90 532|1234567',
      fn: 'Ma|ry',
      ct: 'Pa|ris',
      zp: '94035|-1234',
      country: 'Tur|key',
      st: 'Te|xas',
      ge: 'fe|male',
      db: '1997-02|-16',
      external_id: 'user|-1',
      dobd: '0|7',
    };
    for (const [key, text] of Object.entries(texts)) {
      const clean = hashesOf(key, text.replace('|', ''), turkish);
      expect(clean).toHaveLength(1);
      expect(hashesOf(key, text.replace('|', '\u200b'), turkish)).toEqual(clean);
      expect(hashesOf(key, `\u200b${text.replace('|', '')}\ufeff `, turkish)).toEqual(clean);
    }
  });

  test('a script without a safe transliteration is sent in UTF-8 alone', () => {
    expect(hashesOf('ct', 'Москва')).toEqual([sha256('москва')]);
  });

  test('a list of hashes that a caller changes does not change the next one', () => {
    const first = hashUserData({ ct: 'Muğla' }, {}).userData['ct'];
    if (Array.isArray(first)) first.length = 0;
    expect(hashesOf('ct', 'Muğla')).toEqual([sha256('mugla'), sha256('muğla')]);
    expect(hashesOf('ct', 'Muğla')).toEqual([sha256('mugla'), sha256('muğla')]);
  });

  test('a city without a letter is none', () => {
    expect(codesOf('ct', '90210')).toEqual(['empty']);
    expect(hashesOf('ct', '6th of October City')).toEqual([sha256('6thofoctobercity')]);
    expect(hashesOf('ct', '2号町')).toEqual([sha256('2号町')]);
  });

  test.each([
    ['Mary-Ann', 'maryann'],
    ["O'Connor", 'oconnor'],
    ['  Jean   Paul ', 'jeanpaul'],
    ['\u200bJean\ufeff', 'jean'],
  ])('%j is hashed as %s', (input, normalised) => {
    expect(hashesOf('fn', input)).toEqual([sha256(normalised)]);
  });
});

describe('values hashed before they came', () => {
  const hex = sha256('john_smith@gmail.com');
  test.each([
    ['lower case', hex],
    ['upper case', hex.toUpperCase()],
    ['padded', `  ${hex}\n`],
    ["the Parameter Builder's short suffix", `${hex}.Ag`],
    ["the Parameter Builder's long suffix", `${hex}.AQYBAQEA`],
  ])('%s: kept as it is, for every hashed key', (_, value) => {
    for (const key of ['em', 'ph', 'fn', 'ln', 'ge', 'db', 'ct', 'st', 'zp', 'country', 'external_id']) {
      expect(hashesOf(key, value)).toEqual([hex]);
    }
  });

  test('the hash of the empty string and of words for nothing is refused', () => {
    expect(codesOf('em', 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855')).toEqual([
      'hash_of_nothing',
    ]);
    expect(hashesOf('ph', sha256('null'))).toEqual([]);
  });

  test('a hash with something else behind it is refused, not hashed once more', () => {
    for (const key of ['em', 'fn', 'ct', 'st']) expect(codesOf(key, `${hex}.!?`)).toEqual(['malformed_hash']);
  });

  test('an MD5 is refused, but 32 hex digits of external_id are a UUID without dashes', () => {
    expect(codesOf('em', 'd41d8cd98f00b204e9800998ecf8427e')).toEqual(['md5']);
    expect(hashesOf('external_id', '0F8FAD5BD9CB469FA165708677289501')).toEqual([
      sha256('0f8fad5bd9cb469fa165708677289501'),
    ]);
  });
});

describe('lists', () => {
  test('are hashed one by one, without repeating a hash', () => {
    expect(hashesOf('em', ['A@x.com', 'a@X.com', 'b@x.com'])).toEqual([sha256('a@x.com'), sha256('b@x.com')]);
  });

  test('a bad member costs only itself', () => {
    const { userData, warnings } = hashUserData({ em: ['nobody', 'b@x.com', null, { a: 1 }] }, {});
    expect(userData).toEqual({ em: sha256('b@x.com') });
    expect(warnings.map(({ code }) => code)).toEqual(['not_an_email', 'not_text']);
  });

  test('are cut at the bound, with a warning', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `id-${index}`);
    expect(hashesOf('external_id', many)).toHaveLength(MAX_VALUES_PER_KEY);
    expect(codesOf('external_id', many)).toEqual(['too_many_values']);
  });
});

describe('keys that must never be hashed', () => {
  test('go as they are', () => {
    const ids = {
      client_ip_address: '2a02:e0:1::7',
      client_user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
      fbc: 'fb.1.1596403881668.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk',
      fbp: 'fb.1.1596403881668.1116446470',
      subscription_id: 'sub_9-A',
      anon_id: 'XZ4c9db6-4f9c',
      madid: '38400000-8CF0-11BD-B23E-10B96E40000D',
      page_id: '106482187654321',
      page_scoped_user_id: '7001000000000001',
      ctwa_clid: 'ARAkLkA8rmlFeiCktEJQ',
      ig_account_id: '17841400000000000',
      ig_sid: '8001000000000001',
      whatsapp_business_account_id: '102290129340398',
    };
    expect(hashUserData(ids, {})).toEqual({ userData: ids, warnings: [] });
  });

  test('integer ids are integers where JSON can hold them, text where it would round them', () => {
    expect(hashUserData({ lead_id: '123456789012345', fb_login_id: '98765432109876543' }, {}).userData).toEqual({
      lead_id: 123456789012345,
      fb_login_id: '98765432109876543',
    });
  });

  test('a hash, a private address, a malformed cookie or an e-mail address in one of them is dropped', () => {
    const hex = sha256('x');
    const { userData, warnings } = hashUserData(
      {
        client_user_agent: hex,
        client_ip_address: '192.168.1.4',
        fbc: hex,
        fbp: 'fb.1.16e5.1',
        subscription_id: 'jane@example.com',
        madid: '00000000-0000-0000-0000-000000000000',
      },
      {},
    );
    expect(userData).toEqual({});
    expect(warnings.map(({ key, code }) => `${key} ${code}`)).toEqual([
      'client_user_agent must_not_be_hashed',
      'client_ip_address not_a_public_address',
      'fbc must_not_be_hashed',
      'fbp malformed',
      'subscription_id personal_data',
      'madid malformed',
    ]);
  });
});

describe("keys of Meta's SDKs and long names", () => {
  test('are normalised and hashed', () => {
    const { userData } = hashUserData(
      { f5first: 'Şebnem', f5last: 'Smithson', fi: 'M', dobd: '7', dobm: 2, doby: '1997', app_user_id: 'AB 1' },
      {},
    );
    expect(userData).toEqual({
      f5first: sha256('şebne'),
      f5last: sha256('smith'),
      fi: sha256('m'),
      dobd: sha256('07'),
      dobm: sha256('02'),
      doby: sha256('1997'),
      app_user_id: sha256('ab1'),
    });
  });

  test('a long name stands for the short one, which wins where both are there', () => {
    expect(hashUserData({ email: 'a@x.com' }, {}).userData).toEqual({ em: sha256('a@x.com') });
    expect(hashUserData({ email: 'a@x.com', em: 'b@x.com' }, {})).toMatchObject({
      userData: { em: sha256('b@x.com') },
      warnings: [{ key: 'email', code: 'said_twice' }],
    });
  });
});

describe('hostile input', () => {
  test('prototype keys, unknown keys and nested objects are dropped and reach no prototype', () => {
    const hostile: Record<string, unknown> = JSON.parse(
      '{"__proto__":{"em":"x"},"constructor":"a","toString":"b","em":{"toString":1},"fn":[["a"]],"ph":true}',
    );
    const { userData, warnings } = hashUserData(hostile, { extraKeys: new Set(['__proto__']) });
    expect(userData).toEqual({});
    expect(Object.getPrototypeOf(userData)).toBe(Object.prototype);
    expect(warnings.map(({ code }) => code)).toEqual([
      'unknown_key',
      'unknown_key',
      'unknown_key',
      'not_text',
      'not_text',
      'not_text',
    ]);
  });

  test('a huge string is refused at once, and a long awkward one takes no time', { timeout: 5_000 }, () => {
    for (const key of [
      'em',
      'ph',
      'fn',
      'db',
      'zp',
      'ct',
      'st',
      'country',
      'external_id',
      'client_user_agent',
      'fbc',
      'madid',
    ]) {
      expect(codesOf(key, 'a'.repeat(10_000_000))).toHaveLength(1);
    }
    for (const awkward of [
      `${'a'.repeat(500)}@${'a-'.repeat(250)}`,
      'a.'.repeat(512),
      '-'.repeat(1_024),
      '1 '.repeat(512),
    ]) {
      for (const key of ['em', 'ph', 'fn', 'db', 'zp', 'country', 'fbc']) hashesOf(key, awkward, { country: 'AR' });
    }
  });

  test('any JSON value for any key gives 64 hex digits or a warning, and no warning holds the value', () => {
    const values = [
      'Zq7 Canary',
      '+++',
      '\ud800',
      'İ'.repeat(40),
      -1,
      1e300,
      Number.NaN,
      [],
      {},
      [[]],
      '\u0000',
      '{{user.email}}',
      'null',
    ];
    const keys = 'em ph fn ln ge db ct st zp country external_id f5first f5last fi dobd dobm doby app_user_id'.split(
      ' ',
    );
    for (const key of keys) {
      for (const value of values) {
        const { userData, warnings } = hashUserData({ [key]: value, [`${JSON.stringify(value)}@x`]: 1 }, turkish);
        for (const hash of [userData[key] ?? []].flat()) expect(hash).toMatch(/^[0-9a-f]{64}$/);
        expect(JSON.stringify(warnings)).not.toContain('Canary');
      }
    }
  });

  test('a word for no value and an unfilled template are no identifiers', () => {
    expect(codesOf('fn', 'undefined')).toEqual(['placeholder']);
    expect(codesOf('external_id', '{{ user.id }}')).toEqual(['placeholder']);
  });

  test('absent values say nothing', () => {
    expect(hashUserData({ em: null, ph: '', fn: undefined, ln: '  ', ct: [] }, {})).toEqual({
      userData: {},
      warnings: [],
    });
  });
});

test("a key on the tenant's list goes through unhashed, any other unknown key is dropped and named", () => {
  expect(hashUserData({ partner_id: 'p-1', other: 'x' }, { extraKeys: new Set(['partner_id']) })).toMatchObject({
    userData: { partner_id: 'p-1' },
    warnings: [{ key: 'other', code: 'unknown_key' }],
  });
});

test("the person's own country reads the phone, the tenant's only where the event names none", () => {
  const phone = '(650)555-1212';
  expect(hashUserData({ ph: phone, country: 'US' }, turkish).userData['ph']).toBe(sha256('16505551212'));
  expect(hashUserData({ ph: '0532 123 45 67' }, turkish).userData['ph']).toBe(sha256('905321234567'));
});
