import { endpoint } from './endpoint.ts';
import { rows, type Shape, words } from './field-selection.ts';
import { invalidParameter } from './graph-error.ts';
import { id, optional } from './parameters.ts';

/** Which apps receive an ad account's webhooks; an app subscribes itself only. */
const subscribedApp: Shape<string> = {
  name: 'AdAccountSubscribedApps',
  defaults: ['app_id', 'app_name'],
  empty: words(''),
  fields: { app_id: (appId) => appId, app_name: (_appId, { store }) => store.seed.appName },
};

const common = {
  on: 'ad_account',
  edge: 'subscribed_apps',
  credentials: ['user', 'parent', 'child'],
  scopes: ['ads_management'],
  tasks: ['MANAGE'],
} as const;

const listSubscribedApps = endpoint({
  ...common,
  operation: 'list_subscribed_apps',
  method: 'GET',
  isList: true,
  parameters: {},
  handle: ({ node }) => rows(subscribedApp, [...node.subscribedAppIds]),
});

const subscribe = endpoint({
  ...common,
  operation: 'subscribe_app',
  method: 'POST',
  parameters: { app_id: optional(id) },
  handle({ node, params, context: { store } }) {
    const appId = params.app_id ?? store.seed.appId;
    if (appId !== store.seed.appId) throw invalidParameter('app_id', 'must be the app of the calling token.');
    node.subscribedAppIds.add(appId);
    return { success: true };
  },
});

const unsubscribe = endpoint({
  ...common,
  operation: 'unsubscribe_app',
  method: 'DELETE',
  parameters: { app_id: optional(id) },
  handle({ node, params, context: { store } }) {
    node.subscribedAppIds.delete(params.app_id ?? store.seed.appId);
    return { success: true };
  },
});

export const subscribedAppEndpoints = [listSubscribedApps, subscribe, unsubscribe];
