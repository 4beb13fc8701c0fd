/** Longest content id that is compared; a longer one does not match. */
export const maxContentIdChars = 100;
const maxPatternChars = 200;
const maxVariableParts = 2;
const maxAlternatives = 20;

/** What a content id's pattern may be, for people. */
export const contentIdPatternRule =
  'a regular expression of at most 200 characters made of characters, classes such as [A-Z0-9] or \\d, unnested groups ' +
  'without a quantifier such as (sku|prd), and at most two of the quantifiers ?, *, + and {n,m}; it matches the whole id';

const ATOM = String.raw`(?:\[\^?(?:[\w .:/-]|\\[dws\-\]\\./])+\]|\\[dws.\-/+*?()[\]{}|\\^$]|[\w :/#@~=,;!%&'"<>-]|\.)`;
const QUANTIFIER = String.raw`(?:[?*+]|\{\d{1,3}(?:,\d{0,3})?\})`;
const PART = new RegExp(`${ATOM}${QUANTIFIER}?|\\((?:\\?:)?(?:${ATOM}|\\{\\d{1,2}\\}|\\|)+\\)(?!${QUANTIFIER})`, 'y');
const VARIABLE = /(?<!\\)[?*+]|(?<!\\)\{\d{1,3},\d{0,3}\}/g;

/**
 * The pattern as a regular expression for whole content ids; undefined when it is none, or could be slow. What a tenant
 * writes runs for every event: groups that repeat, look around or refer back are not taken, and with two parts of
 * variable length and ids of at most {@link maxContentIdChars} characters a match takes some thousand steps at worst.
 */
export function contentIdRegExp(pattern: string): RegExp | undefined {
  if (pattern === '' || pattern.length > maxPatternChars) return undefined;
  const body = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  if (body === '' || !isMadeOfParts(body)) return undefined;
  const withoutClasses = body
    .replace(/\\./g, 'x')
    .replace(/\[[^\]]*\]/g, 'x')
    .replaceAll('(?:', '(');
  if ((withoutClasses.match(VARIABLE) ?? []).length > maxVariableParts) return undefined;
  if (withoutClasses.split('|').length > maxAlternatives) return undefined;
  try {
    return new RegExp(`^(?:${body})$`);
  } catch {
    return undefined;
  }
}

function isMadeOfParts(body: string): boolean {
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) if (!PART.test(body)) return false;
  return true;
}

/** How many content ids of an event, in `content_ids` and `contents`, are not of the pattern. */
export function foreignContentIds(customData: Readonly<Record<string, unknown>>, pattern: RegExp): number {
  let foreign = 0;
  for (const id of contentIdsOf(customData)) {
    const text = typeof id === 'number' ? String(id) : id;
    if (typeof text !== 'string' || text.length > maxContentIdChars || !pattern.test(text)) foreign += 1;
  }
  return foreign;
}

/** The content ids of an event, in `content_ids` and `contents`, as they came. */
export function* contentIdsOf({ content_ids: ids, contents }: Readonly<Record<string, unknown>>): Generator {
  if (Array.isArray(ids)) yield* ids;
  else if (ids !== undefined && ids !== null) yield ids;
  if (!Array.isArray(contents)) return;
  for (const content of contents as unknown[])
    if (typeof content === 'object' && content !== null && 'id' in content) yield content.id;
}

/** Whether an event names anything a catalog could hold. */
export function hasContentIds(customData: Readonly<Record<string, unknown>> | undefined): boolean {
  if (customData === undefined) return false;
  for (const id of contentIdsOf(customData)) if (id !== undefined && id !== null && id !== '') return true;
  return false;
}
