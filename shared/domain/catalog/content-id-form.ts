/**
 * Why content ids of events match no product: nearly always both sides mean the same product and write it in another
 * form, or say `content_type` of the other kind. Each form is tried on the ids seen, and the one that makes them match is
 * named.
 */

/** A content id as an event brought it. */
export interface SeenContentId {
  readonly id: string;
  /**
   * The event's `content_type`: whether its ids are items' or groups' (`item_group_id`). Null: not said, or something else;
   * then Meta takes whichever has this id (Meta Pixel, "Standard events": `content_type`).
   */
  readonly type: ContentType | null;
}

export const contentTypes = ['product', 'product_group'] as const;
export type ContentType = (typeof contentTypes)[number];

/** What is asked of a catalog. */
export interface KnownIds {
  readonly isProduct: (id: string) => boolean;
  /** Whether items have it as their `item_group_id`. */
  readonly isGroup: (id: string) => boolean;
  /** Ids of products; from the first few hundred prefixes and suffixes are learnt. */
  readonly productIds: Iterable<string>;
}

export interface ContentIdFinding {
  /** Distinct ids of events that were looked at. */
  readonly seen: number;
  /** Of them: ids that match as they are. */
  readonly matched: number;
  /** The change that makes the most of the others match, when it explains most of them. */
  readonly mismatch: {
    readonly form: ContentIdForm;
    readonly explained: number;
    readonly event: string;
    readonly product: string;
  } | null;
}

export type ContentIdForm =
  | { readonly kind: 'prefix-missing' | 'prefix-added' | 'suffix-missing' | 'suffix-added'; readonly text: string }
  | { readonly kind: 'letter-case' | 'leading-zeros' | 'spaces' | 'group-as-product' | 'product-as-group' };

/** Smallest share of the ids without a product that a form must explain to be named. */
const explainsShare = 0.6;
const maxExamples = 200;

export function compareContentIds(eventIds: Iterable<SeenContentId>, catalog: KnownIds): ContentIdFinding {
  const seen = new Map(Array.from(eventIds, (one) => [`${one.type ?? ''} ${one.id}`, one]));
  const matches = ({ id, type }: SeenContentId): boolean =>
    (type !== 'product_group' && catalog.isProduct(id)) || (type !== 'product' && catalog.isGroup(id));
  const unmatched = [...seen.values()].filter((one) => !matches(one));
  const examples: string[] = [];
  for (const id of catalog.productIds) if (examples.push(id) === maxExamples) break;

  let best: NonNullable<ContentIdFinding['mismatch']> | undefined;
  for (const [form, change] of candidates(unmatched, examples)) {
    let explained = 0;
    let first: [string, string] | undefined;
    for (const one of unmatched) {
      const other = change(one);
      if (other === undefined || !matches(other)) continue;
      explained += 1;
      first ??= [one.id, other.id];
    }
    if (first !== undefined && explained > (best?.explained ?? 0)) {
      best = { form, explained, event: first[0], product: first[1] };
    }
  }
  const isExplained = best !== undefined && best.explained >= unmatched.length * explainsShare;
  return { seen: seen.size, matched: seen.size - unmatched.length, mismatch: isExplained ? (best ?? null) : null };
}

/** The mismatch in words: `what` events send and the catalog has, and the `fix`. */
export function describeMismatch({ form, event, product }: NonNullable<ContentIdFinding['mismatch']>): {
  readonly what: string;
  readonly fix: string;
} {
  const what = `Events send “${event}” where the catalog has “${product}”.`;
  switch (form.kind) {
    case 'prefix-missing':
      return { what, fix: `Put “${form.text}” before the content ids.` };
    case 'prefix-added':
      return { what, fix: `Leave “${form.text}” off the beginning of the content ids.` };
    case 'suffix-missing':
      return { what, fix: `Put “${form.text}” after the content ids.` };
    case 'suffix-added':
      return { what, fix: `Leave “${form.text}” off the end of the content ids.` };
    case 'letter-case':
      return { what, fix: 'Write the content ids in the feed’s upper and lower case.' };
    case 'leading-zeros':
      return { what, fix: 'Keep the leading zeros of the content ids as the feed has them.' };
    case 'spaces':
      return { what, fix: 'Take the spaces off the content ids.' };
    case 'group-as-product':
      return {
        what: `Events send “${event}” with content_type “product”, and it is an item_group_id of the feed.`,
        fix: 'Send content_type “product_group” with it, or the id of the variant.',
      };
    case 'product-as-group':
      return {
        what: `Events send “${event}” with content_type “product_group”, and it is the id of one item of the feed.`,
        fix: 'Send content_type “product” with it, or the item’s item_group_id.',
      };
  }
}

type Change = (one: SeenContentId) => SeenContentId | undefined;

function* candidates(
  unmatched: readonly SeenContentId[],
  examples: readonly string[],
): Generator<[ContentIdForm, Change]> {
  const lowered = new Map(examples.map((id) => [id.toLowerCase(), id]));
  const ids = unmatched.map(({ id }) => id);
  yield [{ kind: 'group-as-product' }, ofType('product', 'product_group')];
  yield [{ kind: 'product-as-group' }, ofType('product_group', 'product')];
  yield [{ kind: 'spaces' }, written((id) => (id.trim() === id ? undefined : id.trim()))];
  yield [{ kind: 'letter-case' }, written((id) => otherCase(id, lowered))];
  yield [{ kind: 'leading-zeros' }, written((id) => otherZeros(id, examples))];
  for (const text of affixes(examples, beginnings)) {
    yield [{ kind: 'prefix-missing', text }, written((id) => text + id)];
  }
  for (const text of affixes(ids, beginnings)) {
    yield [{ kind: 'prefix-added', text }, written((id) => (id.startsWith(text) ? id.slice(text.length) : undefined))];
  }
  for (const text of affixes(examples, endings)) {
    yield [{ kind: 'suffix-missing', text }, written((id) => id + text)];
  }
  for (const text of affixes(ids, endings)) {
    yield [
      { kind: 'suffix-added', text },
      written((id) => (id.endsWith(text) ? id.slice(0, -text.length) : undefined)),
    ];
  }
}

const ofType =
  (from: ContentType, to: ContentType): Change =>
  ({ id, type }) =>
    type === from ? { id, type: to } : undefined;

const written =
  (change: (id: string) => string | undefined): Change =>
  ({ id, type }) => {
    const other = change(id);
    return other === undefined ? undefined : { id: other, type };
  };

/** Up to the first separator, up to the last, and up to the first digit. */
const beginnings = [/^.*?[-_:./]/, /^.*[-_:./]/, /^[^\d]+(?=\d)/];
const endings = [/[-_:./][^-_:./]*$/, /[-_:./].*$/];

/** Beginnings or ends that at least two ids share; the most frequent ten. */
function affixes(ids: readonly string[], patterns: readonly RegExp[]): string[] {
  const counts = new Map<string, number>();
  for (const id of ids) {
    for (const found of new Set(patterns.map((pattern) => pattern.exec(id)?.[0] ?? ''))) {
      if (found !== '' && found.length < id.length) counts.set(found, (counts.get(found) ?? 0) + 1);
    }
  }
  const shared = [...counts].filter(([, count]) => count > 1 || ids.length === 1);
  return shared
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, 10)
    .map(([text]) => text);
}

function otherCase(id: string, lowered: ReadonlyMap<string, string>): string | undefined {
  const known = lowered.get(id.toLowerCase());
  if (known !== undefined) return known === id ? undefined : known;
  return id === id.toUpperCase() ? id.toLowerCase() : id.toUpperCase();
}

function otherZeros(id: string, examples: readonly string[]): string | undefined {
  if (!/^\d+$/.test(id)) return undefined;
  const length = examples.find((example) => /^0\d+$/.test(example))?.length;
  return length === undefined ? id.replace(/^0+(?=\d)/, '') : id.padStart(length, '0');
}
