/**
 * UTM tags of ads: what the document asks for, and what is wrong with the tags an ad has.
 *
 * `utm_medium=paid_social` is added to the document's three: without a paid medium GA4 files sessions from `fb` and `ig` under
 * _Organic Social_, and those from `an` and `msg` under none of its social channels.
 */

const utmTemplate = {
  utm_source: '{{site_source_name}}',
  utm_medium: 'paid_social',
  utm_campaign: '{{campaign.id}}',
  utm_content: '{{ad.id}}',
} as const;
export type UtmTag = keyof typeof utmTemplate;

/** The `url_tags` of a creative. The braces stay as they are: encoded, Meta does not fill them in. */
export const urlTags: string = Object.entries(utmTemplate)
  .map(([name, value]) => `${name}=${value}`)
  .join('&');

/** Values `{{site_source_name}}` is filled in with: Facebook, Instagram, Messenger, Audience Network. */
export const metaSources: readonly string[] = ['fb', 'ig', 'msg', 'an'];

export interface UtmProblem {
  readonly tag: UtmTag;
  /** `missing`; `macro-lost`: a fixed text where Meta should fill in; `macro-encoded`: braces as %7B; `other-value`. */
  readonly kind: 'missing' | 'macro-lost' | 'macro-encoded' | 'other-value';
  readonly found: string | null;
}

/** What is wrong with an ad's tags; empty when they are as they should be. */
export function utmProblems(tags: string | null | undefined): UtmProblem[] {
  const found = new Map<string, string>();
  for (const pair of (tags ?? '').replace(/^[?&]/, '').split('&')) {
    const [name = '', ...value] = pair.split('=');
    if (name !== '') found.set(name.toLowerCase(), value.join('='));
  }
  return (Object.keys(utmTemplate) as UtmTag[]).flatMap((tag): UtmProblem[] => {
    const [value, wanted] = [found.get(tag), utmTemplate[tag]];
    if (value === wanted) return [];
    if (value === undefined || value === '') return [{ tag, kind: 'missing', found: null }];
    const isMacro = wanted.startsWith('{{');
    if (!isMacro) return [{ tag, kind: 'other-value', found: value }];
    if (/%7b/i.test(value)) return [{ tag, kind: 'macro-encoded', found: value }];
    return [{ tag, kind: /\{\{.+\}\}/.test(value) ? 'other-value' : 'macro-lost', found: value }];
  });
}

/** Tags without which GA4 cannot tell which campaign a session came from. */
export function losesItsCampaign(problems: readonly UtmProblem[]): boolean {
  const broken = (tag: UtmTag): boolean => problems.some((problem) => problem.tag === tag);
  return broken('utm_campaign') && broken('utm_content');
}

/** The trap: sessions GA4 files as organic, because the medium is not one of its paid ones. */
export function isFiledAsOrganic(medium: string): boolean {
  // GA4's own rule for its paid channels.
  return !/^(.*cp.*|ppc|retargeting|paid.*)$/i.test(medium);
}
