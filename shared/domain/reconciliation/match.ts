/** Which of GA4's rows belong to which of Meta's campaigns: by campaign id first, then by content id, then by name. */
import { metaSources } from '../utm.ts';

/** One of Meta's ads in the days compared. Counts may have decimals. */
export interface MetaAd {
  readonly campaignId: string;
  readonly campaignName: string;
  readonly adId: string;
  readonly linkClicks: number;
  /** By the account's own attribution setting: clicks and views. */
  readonly purchases: number;
  readonly purchases7dClick: number;
  /** What they were worth, in the ad account's currency: a decimal string. */
  readonly purchaseValue: string;
  /** Whether the ad's tags tell GA4 which campaign it is of. */
  readonly isTagged: boolean;
}

/** One of GA4's rows in the days compared, by the tags a session came with. */
export interface Ga4Row {
  readonly source: string;
  readonly medium: string;
  readonly campaign: string;
  readonly content: string;
  readonly channelGroup: string;
  readonly sessions: number;
  readonly purchases: number;
  /** In the property's currency: a decimal string. */
  readonly revenue: string;
}

export type MatchedBy = 'campaign-id' | 'content-id' | 'campaign-name';

export interface Match {
  readonly row: Ga4Row;
  readonly campaignId: string;
  readonly by: MatchedBy;
}

export interface Matches {
  readonly matched: readonly Match[];
  /** From Meta by their source, but of no campaign we know. */
  readonly unmatched: readonly Ga4Row[];
  /** GA4 folded what it will not show into one row. */
  readonly other: readonly Ga4Row[];
}

const plainName = (name: string): string => name.normalize('NFKC').trim().toLocaleLowerCase('en');

export function matchRows(ads: readonly MetaAd[], rows: readonly Ga4Row[]): Matches {
  const campaigns = new Set(ads.map(({ campaignId }) => campaignId));
  const byAd = new Map(ads.map(({ adId, campaignId }) => [adId, campaignId]));
  // A name two campaigns share tells neither.
  const byName = new Map<string, string | undefined>();
  for (const { campaignId, campaignName } of ads) {
    const name = plainName(campaignName);
    byName.set(name, byName.has(name) && byName.get(name) !== campaignId ? undefined : campaignId);
  }
  const matched: Match[] = [];
  const unmatched: Ga4Row[] = [];
  const other: Ga4Row[] = [];
  for (const row of rows) {
    const match = matchOf(row);
    if (match !== undefined) matched.push(match);
    else if (row.campaign === '(other)' || row.source === '(other)') other.push(row);
    else if (isFromMeta(row)) unmatched.push(row);
  }
  return { matched, unmatched, other };

  function matchOf(row: Ga4Row): Match | undefined {
    if (campaigns.has(row.campaign)) return { row, campaignId: row.campaign, by: 'campaign-id' };
    const ofContent = byAd.get(row.content);
    if (ofContent !== undefined) return { row, campaignId: ofContent, by: 'content-id' };
    const ofName = isFromMeta(row) ? byName.get(plainName(row.campaign)) : undefined;
    return ofName === undefined ? undefined : { row, campaignId: ofName, by: 'campaign-name' };
  }
}

const namesOfMeta = [
  'facebook',
  'instagram',
  'meta',
  'messenger',
  'facebook.com',
  'instagram.com',
  'm.facebook.com',
  'l.instagram.com',
];

export function isFromMeta({ source }: Pick<Ga4Row, 'source'>): boolean {
  const name = source.toLowerCase();
  return metaSources.includes(name) || namesOfMeta.includes(name);
}
