import { describe, expect, test } from 'vitest';
import { MoneyError, fromWholeUnits, minorUnitsPerUnit, parseMinorUnits, toWholeUnits } from './money.ts';

const wholeOnly = ['CLP', 'COP', 'CRC', 'HUF', 'IDR', 'ISK', 'JPY', 'KRW', 'PYG', 'TWD', 'VND'];

/** A small deterministic generator, so a failing case can be run again. */
function* amounts(count: number): Generator<number> {
  let state = 0x2545f491;
  for (let i = 0; i < count; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state * (i % 2 === 0 ? 1 : 999_983);
  }
}

describe('money at Meta', () => {
  test("Meta's table rules, not ISO 4217: forint and rupiah have no minor unit, dinars have two decimals", () => {
    for (const currency of wholeOnly) expect(minorUnitsPerUnit(currency)).toBe(1);
    for (const currency of ['TRY', 'EUR', 'USD', 'GBP', 'BHD', 'JOD']) expect(minorUnitsPerUnit(currency)).toBe(100);
  });

  test('a spend cap of 1 500 000 minor TRY is 15000, and cents keep both digits', () => {
    expect(toWholeUnits(1_500_000, 'TRY')).toBe('15000');
    expect(toWholeUnits(1_500_005, 'TRY')).toBe('15000.05');
    expect(toWholeUnits(1_500_050, 'EUR')).toBe('15000.50');
    expect(toWholeUnits(15_000, 'HUF')).toBe('15000');
    expect(toWholeUnits(0, 'USD')).toBe('0');
  });

  test.each(['TRY', 'BHD', 'HUF', 'JPY'])('every amount survives the round trip exactly in %s', (currency) => {
    for (const amountMinor of [...amounts(5_000), 0, 1, 99, 100, Number.MAX_SAFE_INTEGER]) {
      const whole = toWholeUnits(amountMinor, currency);
      expect(whole).toMatch(/^\d+(\.\d\d)?$/);
      expect(fromWholeUnits(whole, currency)).toBe(amountMinor);
    }
  });

  test('what is not a plain amount is refused, never rounded', () => {
    for (const text of ['', '1e9', '-1', '+1', 'NaN', 'Infinity', '1,50', '1.', '.5', ' 1', '0x10', '١']) {
      expect(() => fromWholeUnits(text, 'TRY')).toThrow(MoneyError);
      expect(() => parseMinorUnits(text)).toThrow(MoneyError);
    }
    expect(() => fromWholeUnits('1.005', 'TRY')).toThrow(expect.objectContaining({ problem: 'too-precise' }));
    expect(() => fromWholeUnits('1.5', 'HUF')).toThrow(expect.objectContaining({ problem: 'too-precise' }));
    expect(fromWholeUnits('1.500', 'TRY')).toBe(150);
    for (const amount of [1.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => toWholeUnits(amount, 'TRY')).toThrow(expect.objectContaining({ problem: 'not-an-amount' }));
    }
    expect(() => parseMinorUnits('9007199254740993')).toThrow(expect.objectContaining({ problem: 'too-large' }));
  });

  test('a currency without a known offset is refused instead of guessed', () => {
    for (const currency of ['KWD', 'try', '', 'constructor']) {
      expect(() => minorUnitsPerUnit(currency)).toThrow(expect.objectContaining({ problem: 'unknown-currency' }));
    }
  });
});
