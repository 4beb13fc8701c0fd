/** Longest text of Meta's that is kept. */
const maxLength = 500;

const secretShapes: readonly [RegExp, string][] = [
  [/\b(access_token|appsecret_proof|client_secret|fb_exchange_token|input_token|code)=[^&\s"']+/gi, '$1=[removed]'],
  [/\bEAA[\w-]{8,}/g, '[token]'],
  [/\b\d{5,}\|[\w-]{8,}/g, '[token]'],
  [/[^\s@"'<>]+@[^\s@"'<>]+\.[\p{L}]{2,}/gu, '[e-mail]'],
  [/\+\d[\d\s().-]{6,}\d/g, '[phone]'],
  [/\b[\w-]{32,}\b/g, '[removed]'],
];

/**
 * A text of Meta's with everything that could be a token, hash, e-mail address or phone number taken out: Graph echoes
 * parameters in its error texts. `secrets` are removed literally, whatever their shape. Object ids stay.
 */
export function scrub(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '[removed]');
  for (const [shape, replacement] of secretShapes) clean = clean.replace(shape, replacement);
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}…` : clean;
}
