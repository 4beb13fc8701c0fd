/** How Graph wants parameters written, and how its JSON is read without losing digits. */

/** A parameter value; `undefined` is left out. Lists and objects are sent as JSON. */
export type GraphParam =
  string | number | boolean | undefined | readonly unknown[] | { readonly [key: string]: unknown };
export type GraphParams = Readonly<Record<string, GraphParam>>;

/** Form fields or query: complex values JSON-encoded (Graph API, "Complex parameters"). */
export function encodeForm(params: GraphParams): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return form.toString();
}

/**
 * JSON as Graph sends it. Ids are usually strings, but a number longer than a double counts exactly would lose digits,
 * so such numbers come back as strings. `undefined` when the text is no JSON.
 */
export function parseGraphJson(text: string): unknown {
  try {
    return longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const longNumber = /[:[,]\s*-?\d{16,}/;

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? context?.source
    : value;
}

/**
 * `/{node}` or `/{node}/{edge}`. @throws TypeError when an id could change the path: it then is not an id of Meta's.
 */
export function graphPath(nodeId: string, edge?: string): string {
  if (!/^[\w-]+$/.test(nodeId)) throw new TypeError('A Graph object id is letters, digits, _ and - only');
  return edge === undefined ? `/${nodeId}` : `/${nodeId}/${edge}`;
}

/** The path with ids replaced, for logs, metrics and errors: `/act_1/adspixels` → `/act_{id}/adspixels`. */
export function pathTemplate(path: string): string {
  return path.replaceAll(/\/(act_)?[^/]*\d[^/]*(?=\/|$)/g, (_segment, act: string | undefined) => `/${act ?? ''}{id}`);
}

/** The last segment of the template when it names an edge, otherwise an empty text (a call on the node itself). */
export function edgeOf(template: string): string {
  const last = template.split('/').at(-1) ?? '';
  return last.includes('{id}') ? '' : last;
}
