/**
 * What Terraform and a person make once in the cloud, made in the embedded services and the simulator: topics,
 * subscriptions, the queue, the secrets, the app's webhooks.
 */
import { randomBytes } from 'node:crypto';
import { Firestore } from '@google-cloud/firestore';
import { PubSub } from '@google-cloud/pubsub';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { CloudTasksClient } from '@google-cloud/tasks';
import { databaseId, paths } from '../../shared/contracts/documents.ts';
import type { Readiness } from '../../shared/contracts/documents.ts';
import { deadLetterTopic, secretNotificationTopic, topicNames } from '../../shared/contracts/topics.ts';
import { adAccountWebhookFields } from '../../shared/domain/ad-issues.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { emulatorEndpoint } from '../../shared/gcp/emulator-endpoint.ts';
import { setAppSubscription } from '../../shared/meta/app-subscriptions.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { delayedRetryQueue } from '../../shared/runtime/delayed-retry.ts';
import { seed } from '../simulator/seed.ts';
import { serviceAccountEmail } from './gateway.ts';
import type { FunctionFolder } from './manifests.ts';

/** In the cloud the shortest wait between deliveries is 10 s; here a person is watching. */
const localRetryPolicy = { minimumBackoff: { nanos: 200_000_000 }, maximumBackoff: { seconds: 5 } };
const defaultMaxAttempts = 10;

/** Where each function hears its topic: the path makes functions-framework see which topic a message is of. */
function pushEndpoint(projectId: string, hostUrl: string, functionName: string, topic: string): string {
  return `${hostUrl}/${functionName}/projects/${projectId}/topics/${topic}`;
}

/** Creates every topic, and a push subscription for each function that has one, named after the function. */
export async function createTopicsAndSubscriptions(
  projectId: string,
  functions: readonly FunctionFolder[],
  hostUrl: string,
): Promise<void> {
  const pubsub = new PubSub({ projectId });
  await Promise.all(topicNames.map((topic) => pubsub.createTopic(topic)));
  await Promise.all(
    functions.map(async ({ manifest }) => {
      if (!('topic' in manifest.trigger)) return;
      const { topic } = manifest.trigger;
      await pubsub.createSubscription(topic, manifest.name, {
        pushConfig: {
          pushEndpoint: pushEndpoint(projectId, hostUrl, manifest.name, topic),
          oidcToken: { serviceAccountEmail, audience: hostUrl },
        },
        ackDeadlineSeconds: Math.min(600, Math.max(10, manifest.timeoutSeconds)),
        retryPolicy: localRetryPolicy,
        // What hears the dead letters must not make new ones of them.
        ...(topic !== deadLetterTopic && {
          deadLetterPolicy: {
            deadLetterTopic: `projects/${projectId}/topics/${deadLetterTopic}`,
            maxDeliveryAttempts: manifest.maxAttempts ?? defaultMaxAttempts,
          },
        }),
        expirationPolicy: {},
      });
    }),
  );
  await pubsub.close();
}

/** Creates the Cloud Tasks queue of delayed retries in the functions' region. */
export async function createQueue(projectId: string, region: string, cloudTasksHost: string): Promise<void> {
  const client = new CloudTasksClient({ projectId, ...emulatorEndpoint(cloudTasksHost) });
  const parent = client.locationPath(projectId, region);
  await client.createQueue({
    parent,
    queue: {
      name: client.queuePath(projectId, region, delayedRetryQueue),
      // A task that runs out of attempts is gone for good, and with it the events it carries.
      retryConfig: { maxAttempts: -1, minBackoff: { seconds: 1 }, maxBackoff: { seconds: 300 } },
    },
  });
  await client.close();
}

/**
 * Secrets that exist before the first tenant: what a person puts there in the cloud. Their topic must exist already.
 * Returns the link-signing key.
 */
export async function createPlatformSecrets(
  projectId: string,
  secretManagerHost: string,
  meta: { readonly appSecret: string; readonly parentToken: string },
): Promise<{ connectStateKey: string; webhookVerifyToken: string }> {
  const client = new SecretManagerServiceClient({ projectId, ...emulatorEndpoint(secretManagerHost) });
  const connectStateKey = randomBytes(32).toString('base64url');
  const webhookVerifyToken = randomBytes(16).toString('hex');
  const values = {
    [secretName.appSecret]: meta.appSecret,
    [secretName.parentToken]: meta.parentToken,
    [secretName.connectStateKey]: connectStateKey,
    [secretName.webhookVerifyToken]: webhookVerifyToken,
  };
  for (const [secretId, value] of Object.entries(values)) {
    const [secret] = await client.createSecret({
      parent: `projects/${projectId}`,
      secretId,
      secret: {
        replication: { automatic: {} },
        topics: [{ name: `projects/${projectId}/topics/${secretNotificationTopic}` }],
      },
    });
    await client.addSecretVersion({ parent: secret.name ?? '', payload: { data: Buffer.from(value) } });
  }
  await client.close();
  return { connectStateKey, webhookVerifyToken };
}

/** Subscribes the simulated app to webhooks of ad accounts, as `npm run doctor -- --subscribe` does once in the cloud. */
export async function subscribeMetaApp(graphUrl: string, callbackUrl: string, verifyToken: string): Promise<void> {
  const { appId, appSecret } = seed;
  const graph = createGraphClient({ baseUrl: graphUrl, appSecret: () => Promise.resolve(appSecret), now: Date.now });
  const wanted = { appId, object: 'ad_account', callbackUrl, fields: adAccountWebhookFields, verifyToken };
  await setAppSubscription(graph.as(await graph.appToken(appId)), wanted);
  await graph.close();
}

/** Says which of Kobi's own preconditions at Meta are met; all of them unless told. */
export async function writeReadiness(
  projectId: string,
  readiness: Readiness = { pre2: true, pre8: true, pre10: true },
): Promise<void> {
  const db = new Firestore({ projectId, databaseId });
  await db.doc(paths.readiness()).set(readiness);
  await db.terminate();
}
