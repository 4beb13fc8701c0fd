/** Nested deeper than any event: `data[].custom_data.contents[].…`. */
const maxDepth = 64;
/** A thousand events with two hundred lists and objects each. */
const maxContainers = 200_000;
/** A thousand events with five hundred values each. */
const maxValues = 500_000;
/** What is shorter cannot become large: at its worst an empty list costs three characters and some sixty bytes. */
const harmlessChars = 256_000;

/**
 * JSON as a value; undefined when it is none, or when it is long and made to become many times its size in memory: deep
 * nesting, millions of empty lists or keys. Costs one look at each character of long texts, nothing for others.
 */
export function parseBoundedJson(text: string): unknown {
  if (text.length > harmlessChars && !isBounded(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

function isBounded(text: string): boolean {
  let depth = 0;
  let containers = 0;
  let values = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (isInString) {
      if (char === BACKSLASH) at += 1;
      else if (char === QUOTE) isInString = false;
    } else if (char === QUOTE) {
      isInString = true;
    } else if (char === COMMA) {
      if (++values > maxValues) return false;
    } else if (char === OPEN_LIST || char === OPEN_OBJECT) {
      if (++containers > maxContainers || ++depth > maxDepth) return false;
    } else if (char === CLOSE_LIST || char === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return true;
}
