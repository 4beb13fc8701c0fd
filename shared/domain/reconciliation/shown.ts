/** How causes and bands are told to a client. */
import type { Band } from './bands.ts';
import type { Cause } from './causes.ts';

export const causeTitles: Readonly<Record<Cause | 'currency', string>> = {
  'view-through': 'Saw an ad, did not click',
  duplicates: 'Counted twice at Meta',
  'untagged-ads': 'Ads without tags',
  'unmatched-ids': 'Tags that name no campaign',
  'hidden-by-ga4': 'Hidden by GA4',
  'zone-shift': 'Different time zones',
  'consent-loss': 'No consent to measure',
  'ga4-broken': 'No purchases arrive in GA4',
  'attribution-model': 'Credited to another channel',
  currency: 'Different currencies',
};

export const bandTitles: Readonly<Record<Band, string>> = {
  green: 'as usual',
  amber: 'worth a look',
  red: 'something is wrong',
  'too-few': 'too few to tell',
};
