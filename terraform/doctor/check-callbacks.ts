import { secretName } from '../../shared/domain/naming.ts';
import { adAccountWebhookFields } from '../../shared/domain/ad-issues.ts';
import { readAppSubscriptions, readDeauthorizeUrl, setAppSubscription } from '../../shared/meta/app-subscriptions.ts';
import type { AppSubscription } from '../../shared/meta/app-subscriptions.ts';
import { GraphError } from '../../shared/meta/errors.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import type { GraphAs } from '../../shared/meta/graph-client.ts';
import type { TenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { notChecked, ok, told, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

const subject = 'webhook subscription';
const object = 'ad_account';

export interface CallbackFacts {
  readonly graphUrl: string;
  readonly appId: string;
  /** Where Meta is to tell changes of ad accounts; undefined, as the other: this build has no webhook function. */
  readonly webhookUrl: string | undefined;
  /** Where Meta is to tell that a person has taken the app off. */
  readonly deauthorizeUrl: string | undefined;
}

const absent = 'this build has no function meta-webhook';

/**
 * Asks Meta what the app is subscribed to: whether it tells changes of ad accounts, all that `meta-webhook` understands,
 * to this environment's address. Without it no issue of an ad ever reaches a tenant, and nothing else fails.
 */
export async function checkSubscription(facts: CallbackFacts, credentials: TenantCredentials): Promise<Finding> {
  const { webhookUrl } = facts;
  if (webhookUrl === undefined) return notChecked(subject, absent);
  try {
    const found = await asApp(facts, credentials, (graph) => readAppSubscriptions(graph, facts.appId));
    const subscription = found.find((each) => each.object === object);
    const problems = problemsOf(subscription, webhookUrl);
    if (problems.length > 0) return wrong(subject, problems.join('; '), mendOf(webhookUrl));
    return ok(subject, `Meta tells ${adAccountWebhookFields.length} fields of ${object} to ${webhookUrl}`);
  } catch (error) {
    if (!(error instanceof GraphError) || error.class === 'token-dead') return notChecked(subject, told(error));
    return wrong(subject, `Meta does not tell it: ${told(error)}`, mendOf(webhookUrl));
  }
}

/** Asks Meta where it tells that a person has taken the app off: a field of the dashboard that nothing else notices. */
export async function checkDeauthorize(facts: CallbackFacts, credentials: TenantCredentials): Promise<Finding> {
  const name = 'deauthorize callback';
  const { deauthorizeUrl } = facts;
  if (deauthorizeUrl === undefined) return notChecked(name, absent);
  const mend = `On the app's dashboard, Facebook Login for Business › Settings › Deauthorize callback URL: ${deauthorizeUrl}.`;
  try {
    const found = await asApp(facts, credentials, (graph) => readDeauthorizeUrl(graph, facts.appId));
    if (found === deauthorizeUrl) return ok(name, `Meta calls ${found}`);
    if (found === undefined) return notChecked(name, `Meta shows none: it must be ${deauthorizeUrl}`);
    return wrong(name, `Meta calls ${found} instead of ${deauthorizeUrl}`, mend);
  } catch (error) {
    return notChecked(name, told(error));
  }
}

/**
 * Subscribes the app to what {@link checkSubscription} asks for; what a person subscribed it to beside that stays.
 *
 * @throws GraphError `callback-not-verified` when Meta cannot reach the address or the token is not the one it knows
 */
export async function subscribe(
  facts: CallbackFacts & { readonly webhookUrl: string },
  credentials: TenantCredentials,
  verifyToken: string,
): Promise<void> {
  const { appId, webhookUrl: callbackUrl } = facts;
  const wanted = { appId, object, callbackUrl, fields: adAccountWebhookFields, verifyToken };
  await asApp(facts, credentials, (graph) => setAppSubscription(graph, wanted));
}

function problemsOf(subscription: AppSubscription | undefined, webhookUrl: string): string[] {
  if (subscription === undefined) return [`the app is not subscribed to ${object}: Meta tells nothing of any ad`];
  const { callbackUrl, fields, isActive } = subscription;
  const missing = adAccountWebhookFields.filter((field) => !fields.includes(field));
  return [
    callbackUrl === webhookUrl ? [] : `Meta calls ${callbackUrl || 'no address'} instead of ${webhookUrl}`,
    isActive ? [] : 'Meta has stopped it: the address failed for long',
    missing.length === 0 ? [] : `Meta does not tell ${missing.join(', ')}`,
  ].flat();
}

/** An app has one address for each type of object, so environments that share an app take it from each other. */
const mendOf = (webhookUrl: string): string =>
  `npm run doctor -- --env-file FILE --subscribe; or on the app's dashboard, Webhooks › Ad Account: callback URL ${webhookUrl}, ` +
  `the verify token of the secret ${secretName.webhookVerifyToken}, the fields ${adAccountWebhookFields.join(', ')} with values. ` +
  'Each environment needs an app of its own.';

async function asApp<T>(
  { appId, graphUrl }: CallbackFacts,
  credentials: TenantCredentials,
  work: (graph: GraphAs<'app'>) => Promise<T>,
): Promise<T> {
  const graph = createGraphClient({ baseUrl: graphUrl, appSecret: () => credentials.appSecret(), now: Date.now });
  try {
    return await work(graph.as(await credentials.app(appId)));
  } finally {
    await graph.close();
  }
}
