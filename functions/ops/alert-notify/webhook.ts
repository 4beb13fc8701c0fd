import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import type { Envelope } from '../../../shared/contracts/topics.ts';

/**
 * The secret `alert-webhook`: where alerts are posted. It is a secret because a Slack address lets anybody who has it
 * write to the channel.
 */
export const webhookSchema = v.variant('format', [
  v.strictObject({
    /** Slack's incoming webhooks, and everything that understands their `{text}`. */
    format: v.literal('slack'),
    url: v.pipe(v.string(), v.url()),
    signingKey: v.pipe(v.string(), v.minLength(16)),
  }),
  v.strictObject({
    /** A gateway that turns `{to, subject, text}` into an e-mail. */
    format: v.literal('email'),
    url: v.pipe(v.string(), v.url()),
    signingKey: v.pipe(v.string(), v.minLength(16)),
    to: v.pipe(v.array(v.pipe(v.string(), v.email())), v.minLength(1)),
  }),
]);
export type Webhook = v.InferOutput<typeof webhookSchema>;

type AlertChanged = Envelope<'alert-changed'>;

/** The body an alert is posted with. */
export function webhookBody(webhook: Webhook, { tenantId, at, data }: AlertChanged): string {
  const { state, kind, severity, summary, since } = data;
  const headline = {
    raised: `${kind} of ${tenantId} (${severity})`,
    escalated: `Still open: ${kind} of ${tenantId} (${severity})`,
    resolved: `Resolved: ${kind} of ${tenantId}`,
  }[state];
  const text =
    state === 'resolved' ? `${summary}\nIt began ${since} and was over ${at}.` : `${summary}\nSince ${since}.`;
  return webhook.format === 'slack'
    ? JSON.stringify({ text: `*${escaped(headline)}*\n${escaped(text)}` })
    : JSON.stringify({ to: webhook.to, subject: headline, text });
}

/**
 * Headers by which the receiver knows that Kobi sent this body, and sent it just now (Standard Webhooks 1.0). A message
 * delivered twice has the same `webhook-id`.
 */
export function signatureHeaders(webhook: Webhook, messageId: string, body: string, now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const signature = createHmac('sha256', webhook.signingKey)
    .update(`${messageId}.${timestamp}.${body}`)
    .digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': messageId,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}

/** Slack reads these three as markup; a tenant's words must not become a link or a mention. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
