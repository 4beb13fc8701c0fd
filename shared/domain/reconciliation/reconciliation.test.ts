import { describe, expect, it, test } from 'vitest';
import { isMet, measureReconciliation } from '../../../test/reporting/recon-proof.ts';
import { isFiledAsOrganic, losesItsCampaign, urlTags, utmProblems } from '../utm.ts';
import { bandOf, baselineOf } from './bands.ts';
import { matchRows } from './match.ts';
import { isProvisional, newestFinalSunday } from './reconcile.ts';

const ad = {
  campaignId: '61',
  campaignName: 'Spring',
  adId: '63',
  linkClicks: 9,
  purchases: 1,
  purchases7dClick: 1,
  purchaseValue: '5',
  isTagged: true,
};
const row = {
  source: 'fb',
  medium: 'paid_social',
  campaign: '61',
  content: '63',
  channelGroup: '',
  sessions: 1,
  purchases: 1,
  revenue: '5',
};

describe('matching GA4 to campaigns', () => {
  it('goes by campaign id first, then by content id, then by name, and never by a name two campaigns share', () => {
    const ads = [
      ad,
      { ...ad, campaignId: '62', campaignName: 'Twin', adId: '64' },
      { ...ad, campaignId: '65', campaignName: 'twin ', adId: '66' },
    ];
    const by = (changes: object): unknown => {
      const { matched } = matchRows(ads, [{ ...row, ...changes }]);
      return matched[0] && [matched[0].campaignId, matched[0].by];
    };
    expect(by({ content: '64' })).toEqual(['61', 'campaign-id']);
    expect(by({ campaign: 'x', content: '64' })).toEqual(['62', 'content-id']);
    expect(by({ campaign: ' SPRING', content: '' })).toEqual(['61', 'campaign-name']);
    expect(by({ campaign: 'Twin', content: '' })).toBeUndefined();
    expect(by({ campaign: 'Spring', content: '', source: 'newsletter' })).toBeUndefined();
  });
});

describe('UTM tags', () => {
  test.each([
    [urlTags, []],
    [`?${urlTags}&utm_term=x`, []],
    [null, ['utm_source missing', 'utm_medium missing', 'utm_campaign missing', 'utm_content missing']],
    [
      'utm_source={{site_source_name}}&utm_medium=paid_social&utm_campaign=spring&utm_content={{ad.id}}',
      ['utm_campaign macro-lost'],
    ],
    [
      'utm_source=%7B%7Bsite_source_name%7D%7D&utm_medium=cpc&utm_campaign={{campaign.name}}&utm_content={{ad.id}}',
      ['utm_source macro-encoded', 'utm_medium other-value', 'utm_campaign other-value'],
    ],
  ])('of %s are wrong in %j', (tags, problems) => {
    expect(utmProblems(tags).map(({ tag, kind }) => `${tag} ${kind}`)).toEqual(problems);
  });

  it('lose the campaign only when neither campaign nor ad is named, and are a trap without a paid medium', () => {
    expect(losesItsCampaign(utmProblems('utm_content={{ad.id}}'))).toBe(false);
    expect(losesItsCampaign(utmProblems('utm_source=fb'))).toBe(true);
    expect(['paid_social', 'cpc', 'ppc'].map(isFiledAsOrganic)).toEqual([false, false, false]);
    expect(['social', '(none)', 'referral'].map(isFiledAsOrganic)).toEqual([true, true, true]);
  });
});

describe('bands', () => {
  const baseline = baselineOf([0.7, 0.71, 0.69, 0.7, 0.2, 0.7, 0.72, 0.7]);

  it('follow the tenant’s own past, which one bad week does not move', () => {
    expect(baseline?.median).toBeCloseTo(0.7);
    expect(bandOf(400, 280, baseline).band).toBe('green');
    expect(bandOf(400, 230, baseline).band).toBe('amber');
    expect(bandOf(400, 170, baseline).band).toBe('red');
    expect(bandOf(400, 450, baseline).band).toBe('red');
    expect(bandOf(400, 390, baseline)).toMatchObject({ band: 'red', why: expect.stringContaining('too clean') });
    expect(bandOf(29, 0, baseline).band).toBe('too-few');
    expect(baselineOf([0.7, 0.7, 0.7])).toBeUndefined();
  });

  it('hold back days that may still change', () => {
    expect(isProvisional('2026-11-17', '2026-11-25')).toBe(true);
    expect(isProvisional('2026-11-16', '2026-11-25')).toBe(false);
    expect(newestFinalSunday('2026-11-25')).toBe('2026-11-15');
    expect(newestFinalSunday('2026-11-24')).toBe('2026-11-15');
    expect(newestFinalSunday('2026-11-23')).toBe('2026-11-08');
  });
});

it('tells 110 labelled weeks apart: bands, causes, no false alarm, and the parts add up to the gap', () => {
  const figures = measureReconciliation(110);
  expect(figures.misses).toEqual([]);
  expect(isMet(figures)).toBe(true);
});
