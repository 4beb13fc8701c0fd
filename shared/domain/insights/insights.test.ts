import { describe, expect, it, test } from 'vitest';
import { dayIn, daysOfIsoWeek, earliestReportDay, halves, isoWeekOf, restatedRange } from './account-day.ts';
import { dailyRowOf, UnreadableRow } from './daily-row.ts';
import { deprecatedIn, deprecations } from './deprecations.ts';
import { purchasesOf } from './purchases.ts';
import { attributionWindows, dailyReports, fieldsOf } from './reports.ts';

describe('days of an account', () => {
  test.each([
    ['Pacific/Kiritimati', '2026-11-25T10:00:00Z', '2026-11-26'],
    ['Pacific/Pago_Pago', '2026-11-25T10:59:59Z', '2026-11-24'],
    ['Asia/Kathmandu', '2026-11-25T18:15:00Z', '2026-11-26'],
    ['Asia/Kolkata', '2026-11-25T18:29:59Z', '2026-11-25'],
    ['Europe/Istanbul', '2026-11-25T21:00:00Z', '2026-11-26'],
    // Clocks go back at 01:00 UTC on 2026-10-25.
    ['Europe/Berlin', '2026-10-24T21:59:59Z', '2026-10-24'],
    ['Europe/Berlin', '2026-10-25T22:59:59Z', '2026-10-25'],
  ])('in %s at %s it is %s', (zone, instant, day) => {
    expect(dayIn(zone, new Date(instant))).toBe(day);
  });

  test.each([
    ['2026-11-25', '2023-10-25'],
    ['2026-03-31', '2023-03-03'],
    ['2027-03-31', '2024-03-02'],
    ['2026-01-15', '2022-12-15'],
  ])('on %s reports reach back to %s, and no day further', (today, earliest) => {
    expect(earliestReportDay(today)).toBe(earliest);
  });

  it('restates today and the 28 days before it', () => {
    expect(restatedRange('Europe/Istanbul', new Date('2026-11-25T06:00:00Z'))).toEqual({
      since: '2026-10-28',
      until: '2026-11-25',
    });
  });

  it('halves a range without a gap or an overlap', () => {
    expect(halves({ since: '2026-11-01', until: '2026-11-05' })).toEqual([
      { since: '2026-11-01', until: '2026-11-03' },
      { since: '2026-11-04', until: '2026-11-05' },
    ]);
    expect(halves({ since: '2026-11-01', until: '2026-11-01' })).toBeUndefined();
  });

  it('knows ISO weeks, also where a year begins within one', () => {
    expect(isoWeekOf('2026-11-25')).toBe('2026-W48');
    expect(isoWeekOf('2027-01-03')).toBe('2026-W53');
    expect(daysOfIsoWeek('2026-W53')).toEqual({ since: '2026-12-28', until: '2027-01-03' });
    expect(daysOfIsoWeek('2026-W48')).toEqual({ since: '2026-11-23', until: '2026-11-29' });
    expect(daysOfIsoWeek('2027-W53')).toBeUndefined();
    expect(daysOfIsoWeek('2026-48')).toBeUndefined();
  });
});

describe('purchases', () => {
  const stats = (type: string, value: string, more: Record<string, string> = {}) => ({
    action_type: type,
    value,
    ...more,
  });

  it('are read from one action type, the widest there is, and never added up', () => {
    const all = [
      stats('offsite_conversion.fb_pixel_purchase', '2'),
      stats('purchase', '3'),
      stats('omni_purchase', '3', { '7d_click': '2', '1d_view': '1' }),
    ];
    expect(purchasesOf(all, [stats('omni_purchase', '149.90'), stats('purchase', '149.90')])).toEqual({
      actionType: 'omni_purchase',
      count: '3',
      count7dClick: '2',
      count1dView: '1',
      value: '149.9',
      value7dClick: '0',
      value1dView: '0',
    });
    expect(purchasesOf(all.slice(0, 2), undefined)).toMatchObject({ actionType: 'purchase', count: '3' });
    expect(purchasesOf([stats('link_click', '9')], undefined)).toMatchObject({ actionType: null, count: '0' });
  });
});

describe('a daily row', () => {
  const context = {
    tenantId: 'acme',
    accountId: '18',
    currency: 'TRY',
    fetchedAt: '2026-11-25T06:00:00.000Z',
    level: 'campaign' as const,
    breakdowns: ['publisher_platform', 'platform_position'],
  };
  const row = { date_start: '2026-11-20', date_stop: '2026-11-20', campaign_id: '61', spend: '12.30' };

  it('has one key for a breakdown value that is missing and one that is null, another for any text', () => {
    const key = (more: object): string =>
      dailyRowOf({ ...row, publisher_platform: 'facebook', ...more }, context).row_key;
    expect(key({})).toBe(key({ platform_position: null }));
    expect(
      new Set([
        key({}),
        key({ platform_position: 'null' }),
        key({ platform_position: '' }),
        key({ platform_position: 'unknown' }),
      ]).size,
    ).toBe(4);
  });

  it('has another key for values that swap their places or hold the separator', () => {
    const key = (first: string, second: string): string =>
      dailyRowOf({ ...row, publisher_platform: first, platform_position: second }, context).row_key;
    expect(key('a', 'b')).not.toBe(key('b', 'a'));
    expect(key('a","b', 'c')).not.toBe(key('a', 'b","c'));
  });

  it('keeps money as the decimal it came as, and refuses what is none, naming the field but not the value', () => {
    expect(dailyRowOf({ ...row, spend: '90071992547409.93' }, context).spend).toBe('90071992547409.93');
    expect(() => dailyRowOf({ ...row, spend: '1e3' }, context)).toThrow(
      new UnreadableRow('spend is not a decimal number'),
    );
    expect(() => dailyRowOf({ ...row, date_stop: '2026-11-21' }, context)).toThrow('exactly one day');
    expect(() => dailyRowOf({ ...row, campaign_id: undefined }, context)).toThrow('campaign_id');
  });
});

it('asks for nothing that Meta has ended or announced to end', () => {
  for (const report of dailyReports) {
    for (const isCollaborative of [true, false]) {
      const request = {
        fields: fieldsOf(report, isCollaborative),
        breakdowns: report.breakdowns,
        windows: attributionWindows,
      };
      expect(deprecatedIn(request)).toEqual([]);
    }
  }
  expect(deprecatedIn({ fields: [], breakdowns: ['dma'], windows: ['28d_view'] }).map(({ name }) => name)).toEqual([
    '28d_view',
    'dma',
  ]);
  expect(deprecations.every(({ since }) => /^\d{4}-\d{2}-\d{2}$/.test(since))).toBe(true);
});
