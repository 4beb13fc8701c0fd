/**
 * `_fbc` = `fb.{subdomain index}.{milliseconds}.{fbclid}`, `_fbp` = `fb.{subdomain index}.{milliseconds}.{random}`, both
 * with an optional appendix of 2 or 8 characters that Meta's Parameter Builder adds ("fbp and fbc Parameters").
 */

/** An fbclid is case-sensitive and may itself hold dots, so everything after the third dot belongs to it. */
const FBC = /^fb\.\d\d?\.\d{13}\.[\w.~%+=-]+$/;
/** The prefix and a click id of 500. */
const MAX_FBC_CHARS = 520;
const BEFORE_FBCLID = /^fb\.\d{1,2}\.\d{13}\./;
const FBC_IN_SECONDS = /^(fb\.\d{1,2}\.)(\d{10})(\.[\w.~%+=-]+)$/;
const FBP = /^fb\.\d{1,2}\.\d{13}\.\d{1,20}(?:\.(?:[\w-]{2}|[\w-]{8}))?$/;
const APPENDIX = /^\.(?:[\w-]{2}|[\w-]{8})$/;

/**
 * The fbc to send for this one, byte for byte; undefined when it has not the shape. A time in seconds, which the
 * WooCommerce plugin writes, is put in milliseconds: the click in it is good.
 */
export function validFbc(value: string): string | undefined {
  const text = value.trim();
  if (text.length > MAX_FBC_CHARS) return undefined;
  if (FBC.test(text)) return text;
  return FBC_IN_SECONDS.test(text) ? text.replace(FBC_IN_SECONDS, '$1$2000$3') : undefined;
}

/** The fbp to send for this one, byte for byte; undefined when it has not the shape. */
export function validFbp(value: string): string | undefined {
  const text = value.trim();
  return FBP.test(text) ? text : undefined;
}

/** Whether this fbc was made for that click, with or without the Parameter Builder's appendix. */
export function isFbcOfClick(fbc: string, fbclid: string): boolean {
  const payload = fbc.replace(BEFORE_FBCLID, '');
  if (payload === fbc || !payload.startsWith(fbclid)) return false;
  return payload.length === fbclid.length || APPENDIX.test(payload.slice(fbclid.length));
}
