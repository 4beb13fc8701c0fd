import { describe, expect, it } from 'vitest';
import { instantsOf, purchasesThroughRelay } from './relay-orders.ts';

const week = { since: '2026-11-09', until: '2026-11-15' };

describe('orders by the relay', () => {
  it('are those of the account’s own days, half hours and changes of the clocks included', () => {
    const at = (timeZone: string): string[] => Object.values(instantsOf(week, timeZone)).map((d) => d.toISOString());
    expect(at('Europe/Istanbul')).toEqual(['2026-11-08T21:00:00.000Z', '2026-11-15T21:00:00.000Z']);
    expect(at('Asia/Kolkata')).toEqual(['2026-11-08T18:30:00.000Z', '2026-11-15T18:30:00.000Z']);
    const spring = instantsOf({ since: '2026-03-23', until: '2026-03-29' }, 'Europe/Berlin');
    expect(Object.values(spring).map((date) => date.toISOString())).toEqual([
      '2026-03-22T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ]);
  });

  it('are unknown when the relay was silent for a day: half a week’s orders would make all others look doubled', () => {
    const { from, to } = instantsOf(week, 'Europe/Istanbul');
    const hours = Array.from({ length: 7 }, (_, day) => ({
      hour: `2026-11-${String(9 + day).padStart(2, '0')}T08`,
      counts: {},
    }));
    const total = { Purchase: { delivered: 40, duplicate: 3 } };
    expect(purchasesThroughRelay({ hours, total }, from, to)).toBe(40);
    expect(purchasesThroughRelay({ hours: hours.slice(1), total }, from, to)).toBeUndefined();
  });
});
