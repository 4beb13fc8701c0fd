import { expect, it } from 'vitest';
import { metaTimezoneId, metaTimezones } from './meta-timezones.ts';

it("knows Meta's numbers of the zones at the ends of the list", () => {
  expect(metaTimezoneId('America/Los_Angeles')).toBe(1);
  expect(metaTimezoneId('Europe/London')).toBe(58);
  expect(metaTimezoneId('Asia/Kamchatka')).toBe(125);
  expect(metaTimezoneId('Europe/Istanbul')).toBe(135);
  expect(metaTimezoneId('Mars/Olympus')).toBeUndefined();
});

it('lists only zones that exist, each with its own number', () => {
  for (const zone of metaTimezones) expect(() => new Intl.DateTimeFormat('en', { timeZone: zone })).not.toThrow();
  expect(new Set(metaTimezones.map(metaTimezoneId)).size).toBe(metaTimezones.length);
});
