import { randomInt } from 'node:crypto';
import type { AppSubscription } from './app-settings.ts';
import { endpoint } from './endpoint.ts';
import { row, rows, type Shape, words } from './field-selection.ts';
import { GraphError, invalidParameter, missingParameter } from './graph-error.ts';
import { bool, commaSeparated, httpUrl, Mismatch, optional, type ParameterType, required, text } from './parameters.ts';
import type { Application } from './world.ts';

/** The app, as far as where Meta calls it goes. Webhooks: which objects' changes Meta sends, and where to (Graph API, "/{app-id}/subscriptions"). */

const objects = [
  'user',
  'page',
  'permissions',
  'payments',
  'ad_account',
  'application',
  'instagram',
  'certificate_transparency',
  'whatsapp_business_account',
] as const;

/** Fields of `ad_account` (Marketing API, "Ads Webhooks"); those of other objects are not held to a list. */
const adAccountFields = [
  'with_issues_ad_objects',
  'in_process_ad_objects',
  'ad_recommendations',
  'creative_fatigue',
  'product_set_issue',
  'effective_status',
  'ads_async_creation_request',
  'subscriptions',
] as const;

const subscribedVersion = 'v25.0';
const patienceMs = 10_000;
const longestShown = 20;

const subscriptionShape: Shape<AppSubscription> = {
  name: 'ApplicationSubscriptions',
  defaults: ['object', 'callback_url', 'active', 'fields'],
  empty: words(''),
  fields: {
    object: ({ object }) => object,
    callback_url: ({ callbackUrl }) => callbackUrl,
    active: ({ isActive }) => isActive,
    fields: ({ fields }) => [...fields].map((name) => ({ name, version: subscribedVersion })),
  },
};

const application: Shape<Application> = {
  name: 'Application',
  defaults: ['id', 'name'],
  empty: words('app_domains company contact_email link owner_business privacy_policy_url terms_of_service_url'),
  fields: {
    id: ({ id }) => id,
    name: ({ name }) => name,
    app_name: ({ name }) => name,
    deauth_callback_url: (_application, { app, switches }) =>
      switches.app_shows_deauth_callback ? app.deauthorize : undefined,
  },
};

const readApplication = endpoint({
  operation: 'read_application',
  method: 'GET',
  on: 'application',
  credentials: ['app'],
  parameters: {},
  handle: ({ node }) => row(application, node),
});

/** Webhooks go to addresses with a certificate; the simulator also takes this machine's own. */
const callbackUrl: ParameterType<string> = {
  ...httpUrl,
  read(raw) {
    const value = httpUrl.read(raw);
    const { hostname, protocol } = new URL(value);
    if (protocol !== 'https:' && hostname !== '127.0.0.1' && hostname !== 'localhost') {
      throw new Mismatch('must use HTTPS.');
    }
    return value;
  },
};

const object: ParameterType<string> = {
  ...text,
  read(raw) {
    const value = text.read(raw);
    if (!objects.some((known) => known === value)) throw new Mismatch(`must be one of {${objects.join(', ')}}`);
    return value;
  },
};

const common = {
  on: 'application',
  edge: 'subscriptions',
  credentials: ['app'],
  refusal: () => new GraphError({ code: 15, message: '(#15) This method must be called with an app access_token.' }),
} as const;

const listSubscriptions = endpoint({
  ...common,
  operation: 'list_app_subscriptions',
  method: 'GET',
  isList: true,
  parameters: {},
  handle: ({ context: { app } }) => rows(subscriptionShape, [...app.subscriptions.values()]),
});

const subscribe = endpoint({
  ...common,
  operation: 'subscribe_app_to_object',
  method: 'POST',
  parameters: {
    object: required(object),
    callback_url: optional(callbackUrl),
    fields: optional(commaSeparated('list<string>')),
    include_values: optional(bool),
    verify_token: optional(text),
  },
  async askTheApp({ params, context: { switches } }) {
    for (const name of ['callback_url', 'fields', 'verify_token'] as const) {
      if (params[name] === undefined || params[name] === '') throw missingParameter(name);
    }
    if (params.object === 'ad_account') {
      const unknown = params.fields?.find((field) => !adAccountFields.some((known) => known === field));
      if (unknown !== undefined) {
        throw invalidParameter('fields', `must be one of {${adAccountFields.join(', ')}} - got "${unknown}".`);
      }
      if (params.include_values !== true && switches.ad_account_webhook_needs_values) {
        throw invalidParameter('include_values', 'must be true for ad_account.');
      }
    }
    await verify(params.callback_url ?? '', params.verify_token ?? '');
  },
  handle({ params, context: { app, switches } }) {
    const known = app.subscriptions.get(params.object);
    const kept = switches.app_subscription_post === 'adds' ? [...(known?.fields ?? [])] : [];
    app.subscriptions.set(params.object, {
      object: params.object,
      callbackUrl: params.callback_url ?? '',
      fields: new Set([...kept, ...(params.fields ?? [])]),
      includeValues: params.include_values ?? false,
      isActive: true,
    });
    return { success: true };
  },
});

const unsubscribe = endpoint({
  ...common,
  operation: 'unsubscribe_app_from_object',
  method: 'DELETE',
  parameters: { object: optional(object), fields: optional(commaSeparated('list<string>')) },
  handle({ params, context: { app } }) {
    if (params.fields !== undefined && params.object === undefined) throw missingParameter('object');
    for (const [name, { fields }] of app.subscriptions) {
      if (params.object !== undefined && params.object !== name) continue;
      for (const field of params.fields ?? fields) fields.delete(field);
      if (fields.size === 0) app.subscriptions.delete(name);
    }
    return { success: true };
  },
});

/** Asks the address for the challenge, as Meta does once for each subscription (meta "Webhooks", verification requests). */
async function verify(address: string, verifyToken: string): Promise<void> {
  const url = new URL(address);
  const challenge = String(randomInt(1_000_000_000, 2_000_000_000));
  url.searchParams.set('hub.mode', 'subscribe');
  url.searchParams.set('hub.challenge', challenge);
  url.searchParams.set('hub.verify_token', verifyToken);
  const { said, status, statusText } = await ask(url);
  if (status !== 200) {
    const message = `HTTP Status Code = ${String(status)}; HTTP Message = ${statusText}`;
    throw notVerified(2200, `Callback verification failed with the following errors: ${message}`);
  }
  if (said !== challenge) {
    const shown = said.slice(0, longestShown);
    throw notVerified(2201, `response does not match challenge, expected value="${challenge}", received="${shown}"`);
  }
}

async function ask(url: URL): Promise<{ status: number; statusText: string; said: string }> {
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs) });
    return { status: answer.status, statusText: answer.statusText, said: await answer.text() };
  } catch {
    throw notVerified(2200, 'Callback verification failed with the following errors: the address cannot be reached');
  }
}

const notVerified = (code: number, problem: string): GraphError =>
  new GraphError({ code, message: `(#${String(code)}) ${problem}` });

export const appSubscriptionEndpoints = [readApplication, listSubscriptions, subscribe, unsubscribe];
