import { createHmac } from 'node:crypto';
import type { SimulatorContext } from './context.ts';

class BadCallback extends Error {}

type Body = Readonly<Record<string, unknown>>;
const controlPaths = new Set(['/_sim/callbacks', '/_sim/webhook', '/_sim/remove-app']);

/** The control calls that make Meta call the app; undefined for any other path. */
export async function tellTheApp(
  path: string,
  body: string,
  context: SimulatorContext,
): Promise<{ readonly status: number; readonly body: unknown } | undefined> {
  try {
    const given: unknown = controlPaths.has(path) ? JSON.parse(body || '{}') : {};
    const answer = await answerCallback(path, given as Body, context);
    return answer === undefined ? undefined : { status: 200, body: answer };
  } catch (error) {
    if (error instanceof BadCallback || error instanceof SyntaxError || error instanceof TypeError) {
      return { status: 400, body: { error: error.message } };
    }
    throw error;
  }
}

/**
 * What Meta sends of itself: signed webhooks, and what follows when a person takes the app off. Answers what the other side said. Undefined for any other path.
 */
async function answerCallback(
  path: string,
  body: Body,
  context: SimulatorContext,
): Promise<Record<string, unknown> | undefined> {
  switch (path) {
    case '/_sim/callbacks':
      return setCallbacks(body, context);
    case '/_sim/webhook':
      return sendWebhook(body, context);
    case '/_sim/remove-app':
      return removeApp(textOf(body, 'userId'), body['deleteData'] === true, context);
    default:
      return undefined;
  }
}

/** `{deauthorize?, dataDeletion?}`: the addresses that only the app's dashboard takes. */
function setCallbacks(body: Body, { app }: SimulatorContext): Record<string, unknown> {
  for (const name of ['deauthorize', 'dataDeletion'] as const) {
    if (body[name] !== undefined) app[name] = textOf(body, name);
  }
  return { deauthorize: app.deauthorize, dataDeletion: app.dataDeletion };
}

/**
 * `{adAccountId, field, value, time?, copies?, asArray?}`: told only where the app is subscribed to the field and the
 * account to the app, as often as `copies` says, one copy after the other.
 */
async function sendWebhook(body: Body, { app, clock, store }: SimulatorContext): Promise<Record<string, unknown>> {
  const adAccountId = textOf(body, 'adAccountId');
  const account = store.find('ad_account', adAccountId);
  if (account === undefined) throw new BadCallback(`there is no ad account ${adAccountId}`);
  const { copies = 1, time = Math.floor(clock.nowMs() / 1000), value = {} } = body;
  if (typeof copies !== 'number' || typeof time !== 'number') throw new BadCallback('copies and time are numbers');
  const field = textOf(body, 'field');
  const subscription = app.subscriptions.get('ad_account');
  const isHeard =
    subscription?.isActive === true && subscribedAs(field, value).some((name) => subscription.fields.has(name));
  if (!isHeard || !account.subscribedAppIds.has(store.seed.appId)) return { statuses: [] };
  const told = subscription.includeValues ? { field, value } : { field };
  const envelope = { object: 'ad_account', entry: [{ id: account.accountId, time, changes: [told] }] };
  // Meta escapes every character beyond ASCII; the signature is over these bytes.
  const text = JSON.stringify(body['asArray'] === true ? [envelope] : envelope).replaceAll(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const signature = createHmac('sha256', store.seed.appSecret).update(text).digest('hex');
  const statuses: number[] = [];
  for (let copy = 0; copy < copies; copy += 1) {
    const answer = await fetch(subscription.callbackUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
      body: text,
    });
    statuses.push(answer.status);
  }
  return { statuses };
}

/** The fields by whose subscription a change is told: a change of state comes under a name of its own. */
function subscribedAs(field: string, value: unknown): string[] {
  if (field !== 'field_changed') return [field];
  const { changed_fields: changed } = value as { changed_fields?: unknown };
  return Array.isArray(changed) ? changed.map(String) : [];
}

/** A person takes the app off their account, and perhaps asks for their data to be deleted. */
async function removeApp(
  userId: string,
  deleteData: boolean,
  { app, clock, store, tokens }: SimulatorContext,
): Promise<Record<string, unknown>> {
  const person = store.find('user', userId);
  if (person === undefined) throw new BadCallback(`there is no person ${userId}`);
  for (const token of tokens.all()) if (token.kind === 'user' && token.ownerId === userId) token.revokedSubcode ??= 458;
  person.permissions.clear();
  const request = signedRequest(store.seed.appSecret, userId, Math.floor(clock.nowMs() / 1000));
  const tell = async (address: string | undefined): Promise<unknown> => {
    if (address === undefined) return undefined;
    const answer = await fetch(address, { method: 'POST', body: new URLSearchParams({ signed_request: request }) });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
  };
  return {
    deauthorize: await tell(app.deauthorize),
    ...(deleteData && { dataDeletion: await tell(app.dataDeletion) }),
  };
}

/** `signed_request` as Meta makes it. */
export function signedRequest(appSecret: string, userId: string, issuedAt: number, algorithm = 'HMAC-SHA256'): string {
  const payload = Buffer.from(JSON.stringify({ algorithm, issued_at: issuedAt, user_id: userId })).toString(
    'base64url',
  );
  return `${createHmac('sha256', appSecret).update(payload).digest('base64url')}.${payload}`;
}

function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new BadCallback(`"${name}" must be a non-empty string`);
  return value;
}
