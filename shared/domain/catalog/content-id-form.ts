/**
 * Why content ids of events match no product: nearly always both sides mean the same product and write it in another
 * form. Each form is tried on the ids seen, and the one that makes them match is named.
 */

export interface ContentIdFinding {
  /** Distinct ids of events that were looked at. */
  readonly seen: number;
  /** Of them: ids that are products as they are. */
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
  | { readonly kind: 'letter-case' | 'leading-zeros' | 'spaces' | 'item-group-id' };

/** Smallest share of the ids without a product that a form must explain to be named. */
const explainsShare = 0.6;

/**
 * @param eventIds ids as events brought them
 * @param isProduct whether the catalog has an item of this id
 * @param productIds some ids of the catalog, from which prefixes and suffixes are learnt
 * @param isGroup whether it is an item group's id, where that is known
 */
export function compareContentIds(
  eventIds: Iterable<string>,
  isProduct: (id: string) => boolean,
  productIds: Iterable<string>,
  isGroup: (id: string) => boolean = () => false,
): ContentIdFinding {
  const seen = new Set(eventIds);
  const unmatched = [...seen].filter((id) => !isProduct(id));
  const matched = seen.size - unmatched.length;
  const examples = [...productIds].slice(0, 200);
  const lowered = new Map(examples.map((id) => [id.toLowerCase(), id]));

  let best: NonNullable<ContentIdFinding['mismatch']> | undefined;
  for (const [form, change] of candidates(unmatched, examples, lowered, isGroup)) {
    let explained = 0;
    let first: [string, string] | undefined;
    for (const id of unmatched) {
      const product = change(id);
      if (product === undefined || (form.kind !== 'item-group-id' && !isProduct(product))) continue;
      explained += 1;
      first ??= [id, product];
    }
    if (first !== undefined && explained > (best?.explained ?? 0)) {
      best = { form, explained, event: first[0], product: first[1] };
    }
  }
  const isExplained = best !== undefined && best.explained >= unmatched.length * explainsShare;
  return { seen: seen.size, matched, mismatch: isExplained && best !== undefined ? best : null };
}

/** The mismatch in words: what events send, what the catalog has, and what to change. */
export function describeMismatch({ form, event, product }: NonNullable<ContentIdFinding['mismatch']>): string {
  const both = `Events send “${event}” where the catalog has “${product}”`;
  switch (form.kind) {
    case 'prefix-missing':
      return `${both}: put “${form.text}” before the content ids.`;
    case 'prefix-added':
      return `${both}: leave “${form.text}” off the beginning of the content ids.`;
    case 'suffix-missing':
      return `${both}: put “${form.text}” after the content ids.`;
    case 'suffix-added':
      return `${both}: leave “${form.text}” off the end of the content ids.`;
    case 'letter-case':
      return `${both}: write the content ids in the feed’s upper and lower case.`;
    case 'leading-zeros':
      return `${both}: keep the leading zeros as the feed has them.`;
    case 'spaces':
      return `${both}: take the spaces off the content ids.`;
    case 'item-group-id':
      return `Events send “${event}”, an item_group_id: send the variant’s id, or content_type “product_group”.`;
  }
}

type Change = (id: string) => string | undefined;

function* candidates(
  unmatched: readonly string[],
  examples: readonly string[],
  lowered: ReadonlyMap<string, string>,
  isGroup: (id: string) => boolean,
): Generator<[ContentIdForm, Change]> {
  yield [{ kind: 'spaces' }, (id) => (id.trim() === id ? undefined : id.trim())];
  yield [{ kind: 'letter-case' }, (id) => otherCase(id, lowered)];
  yield [{ kind: 'leading-zeros' }, (id) => otherZeros(id, examples)];
  yield [{ kind: 'item-group-id' }, (id) => (isGroup(id) ? id : undefined)];
  for (const text of affixes(examples, beginnings)) {
    yield [{ kind: 'prefix-missing', text }, (id) => text + id];
  }
  for (const text of affixes(unmatched, beginnings)) {
    yield [{ kind: 'prefix-added', text }, (id) => (id.startsWith(text) ? id.slice(text.length) : undefined)];
  }
  for (const text of affixes(examples, endings)) {
    yield [{ kind: 'suffix-missing', text }, (id) => id + text];
  }
  for (const text of affixes(unmatched, endings)) {
    yield [{ kind: 'suffix-added', text }, (id) => (id.endsWith(text) ? id.slice(0, -text.length) : undefined)];
  }
}

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
