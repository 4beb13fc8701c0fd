/** `signed_request`: how Meta's deauthorize and data deletion callbacks say whom they are about ("Data Deletion Callback"). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';

export interface SignedRequest {
  /** App-scoped, as `GET /me` gave it when the person connected. */
  readonly userId: string;
}

const payload = v.object({
  algorithm: v.pipe(v.string(), v.toUpperCase(), v.literal('HMAC-SHA256')),
  user_id: v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.regex(/^\d{1,32}$/)),
});

/**
 * `base64url(signature).base64url(JSON)`, signed over the second part as it came. Undefined for whatever is not signed
 * with this secret, by this algorithm, about a person: the caller learns no more than that.
 */
export function readSignedRequest(text: string, appSecret: string): SignedRequest | undefined {
  const [signature, signed, ...rest] = text.split('.');
  if (signature === undefined || signed === undefined || rest.length > 0) return undefined;
  const given = Buffer.from(signature, 'base64url');
  const expected = createHmac('sha256', appSecret).update(signed).digest();
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(signed, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const read = v.safeParse(payload, decoded);
  return read.success ? { userId: read.output.user_id } : undefined;
}

/**
 * The code by which a person looks up their deletion: the same for the same request however often it comes, and not to
 * be guessed by anybody without the app secret.
 */
export function confirmationCodeOf(signedRequest: string, appSecret: string): string {
  return createHmac('sha256', appSecret).update(`data-deletion:${signedRequest}`).digest('hex').slice(0, 32);
}
