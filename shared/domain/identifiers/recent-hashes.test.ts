import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashUserData } from './hash-user-data.ts';
import { RecentHashes } from './recent-hashes.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('hashes seen lately', () => {
  it('never answer for another text, though two share a place', () => {
    const hashes = new RecentHashes<string>({ places: 2, maxChars: 20, lettersOnly: true });
    const names = ['ada', 'grace', 'margaret', 'radia', 'barbara'];
    for (const name of names) {
      const place = hashes.placeOf(name);
      expect(hashes.at(place, name)).toBeUndefined();
      hashes.keep(place, name, `hash of ${name}`);
      expect(hashes.at(place, name)).toBe(`hash of ${name}`);
    }
    for (const name of names) expect([undefined, `hash of ${name}`]).toContain(hashes.at(hashes.placeOf(name), name));
  });

  it.each(['Ada Lovelace', '1 Main Street', 'a'.repeat(21), "O'Connor", 'ada@example.com'])(
    'keep nothing of %s, which may be a whole name or an address',
    (text) => {
      const hashes = new RecentHashes<string>({ places: 8, maxChars: 20, lettersOnly: true });
      const place = hashes.placeOf(text);
      hashes.keep(place, text, 'kept');
      expect(hashes.at(place, text)).toBeUndefined();
    },
  );

  it('leave every value its own hash, more of them than there are places, and again when they come back', () => {
    const people = Array.from({ length: 12_000 }, (_, index) => {
      const letters = index.toString(26).replaceAll(/[0-9]/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)));
      const day = new Date(Date.UTC(1930, 0, 1) + index * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
      return { fn: `Ana${letters}`, ct: `York ${letters}`, db: day, zp: String(10_000 + index) };
    });
    let wrong = 0;
    for (let time = 0; time < 2; time += 1) {
      for (const { fn, ct, db, zp } of people) {
        const { userData } = hashUserData({ fn, ct, db, zp }, { country: 'us' });
        const right = { fn: fn.toLowerCase(), ct: ct.toLowerCase().replace(' ', ''), db, zp };
        for (const [key, text] of Object.entries(right)) if (userData[key] !== sha256(text)) wrong += 1;
      }
    }
    expect(wrong).toBe(0);
  });
});
