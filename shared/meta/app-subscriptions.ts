/**
 * Where Meta calls the app. Webhooks: of which objects Meta tells it changes, and where (Graph API, "/{app-id}/subscriptions";
 * Marketing API, "Ads Webhooks"). Made with the app's token; an app has one subscription per type of object.
 */
import * as v from 'valibot';
import { succeeded } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import { graphPath } from './graph-body.ts';
import type { GraphAs } from './graph-client.ts';

export interface AppSubscription {
  /** The type of object: `ad_account`. */
  readonly object: string;
  readonly callbackUrl: string;
  readonly isActive: boolean;
  readonly fields: readonly string[];
}

/** Since v2.10 a field comes with the version it is told in; before, and in some answers still, as its name alone. */
const field = v.union([
  v.string(),
  v.pipe(
    v.object({ name: v.string() }),
    v.transform(({ name }) => name),
  ),
]);

const subscription = v.object({
  object: v.string(),
  callback_url: v.optional(v.string(), ''),
  active: v.optional(v.boolean(), true),
  fields: v.optional(v.array(field), []),
});

/** Meta's own sample of the answer has `true` as text. */
const subscribed = v.union([succeeded, v.object({ success: v.literal('true') })]);

/** `GET /{app}/subscriptions`, every one. */
export async function readAppSubscriptions(
  graph: GraphAs<CredentialFor<'read-app-subscriptions'>>,
  appId: string,
): Promise<AppSubscription[]> {
  const found = await graph.list(graphPath(appId, 'subscriptions'), {}, subscription);
  return found.map(({ active, callback_url, fields, object }) => ({
    object,
    callbackUrl: callback_url,
    isActive: active,
    fields,
  }));
}

/**
 * `POST /{app}/subscriptions`: Meta asks the address for a challenge, then tells it the named fields with their values.
 * Whether fields named before stay is not stated: name all that are wanted. Repeatable.
 *
 * @throws GraphError `callback-not-verified` when the address did not answer
 */
export async function subscribeApp(
  graph: GraphAs<CredentialFor<'write-app-subscription'>>,
  wanted: Pick<AppSubscription, 'object' | 'callbackUrl' | 'fields'> & {
    readonly appId: string;
    readonly verifyToken: string;
  },
): Promise<void> {
  const params = {
    object: wanted.object,
    callback_url: wanted.callbackUrl,
    fields: wanted.fields.join(','),
    include_values: true,
    verify_token: wanted.verifyToken,
  };
  const secrets = [wanted.verifyToken];
  await graph.post(graphPath(wanted.appId, 'subscriptions'), params, subscribed, { secrets });
}

/**
 * Sees to it that the app is told the named fields of an object at this address. Fields it was told before stay. Nothing
 * is written where all is as wanted; read it again to see what Meta made of it.
 *
 * @throws GraphError `callback-not-verified` when the address did not answer
 */
export async function setAppSubscription(
  graph: GraphAs<CredentialFor<'read-app-subscriptions' | 'write-app-subscription'>>,
  wanted: Parameters<typeof subscribeApp>[1],
): Promise<void> {
  const subscriptions = await readAppSubscriptions(graph, wanted.appId);
  const known = subscriptions.find(({ object }) => object === wanted.object);
  const fields = [...new Set([...wanted.fields, ...(known?.fields ?? [])])];
  const isAsWanted =
    known?.isActive === true && known.callbackUrl === wanted.callbackUrl && fields.length === known.fields.length;
  if (!isAsWanted) await subscribeApp(graph, { ...wanted, fields });
}

/**
 * `GET /{app}?fields=deauth_callback_url`: where Meta tells that a person has taken the app off, as set on the app's
 * dashboard; undefined where none is set or Meta does not show it.
 */
export async function readDeauthorizeUrl(
  graph: GraphAs<CredentialFor<'read-app'>>,
  appId: string,
): Promise<string | undefined> {
  const app = v.object({ deauth_callback_url: v.optional(v.string()) });
  return (await graph.get(graphPath(appId), { fields: 'deauth_callback_url' }, app)).deauth_callback_url || undefined;
}
