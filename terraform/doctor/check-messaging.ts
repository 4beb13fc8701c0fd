import type { PubSub } from '@google-cloud/pubsub';
import type { CloudTasksClient } from '@google-cloud/tasks';
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';
import { deadLetterTopic, topicNames } from '../../shared/contracts/topics.ts';
import { hasGrpcStatus } from '../../shared/gcp/grpc-status.ts';
import { notChecked, ok, told, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

const apply = 'terraform -chdir=terraform apply';

/** Topics, and for each function that hears one its push subscription, as `terraform/` makes them. */
export async function checkPubsub(pubsub: PubSub, manifests: readonly FunctionManifest[]): Promise<Finding[]> {
  try {
    const [topics] = await pubsub.getTopics();
    const existing = new Set(topics.map(({ name }) => name.split('/').at(-1)));
    const used = new Set(
      manifests.flatMap(({ trigger, emits }) => ['topic' in trigger ? trigger.topic : [], emits].flat()),
    );
    const missing = topicNames.filter((name) => (used.has(name) || name === deadLetterTopic) && !existing.has(name));
    const found =
      missing.length === 0
        ? ok('topics', `${existing.size} are there`)
        : wrong('topics', `missing: ${missing.join(', ')}`, `${apply}: it makes a topic for each the manifests name.`);
    const listeners = manifests.filter(({ trigger }) => 'topic' in trigger);
    const problems = (await Promise.all(listeners.map((manifest) => subscriptionProblem(pubsub, manifest)))).flat();
    if (problems.length > 0) return [found, ...problems];
    return [
      found,
      ok('subscriptions', `${listeners.length} push with an ID token, have dead letters and never expire`),
    ];
  } catch (error) {
    return [
      wrong(
        'topics',
        `cannot be read: ${told(error)}`,
        'Whoever runs the doctor needs roles/pubsub.viewer on the project.',
      ),
      notChecked('subscriptions', 'as above'),
    ];
  }
}

async function subscriptionProblem(pubsub: PubSub, { name, trigger }: FunctionManifest): Promise<Finding[]> {
  const topic = 'topic' in trigger ? trigger.topic : '';
  const subject = `subscription ${name}`;
  const mend = `${apply}: subscriptions.tf makes it from the manifest.`;
  try {
    const [found] = await pubsub.subscription(name).getMetadata();
    const problems = [
      found.topic?.endsWith(`/topics/${topic}`) === true ? [] : `hears ${found.topic ?? 'nothing'} instead of ${topic}`,
      found.pushConfig?.pushEndpoint ? [] : 'does not push',
      found.pushConfig?.oidcToken?.serviceAccountEmail ? [] : 'pushes without an ID token',
      topic === deadLetterTopic || found.deadLetterPolicy?.deadLetterTopic ? [] : 'has no dead-letter topic',
      found.expirationPolicy?.ttl?.seconds ? 'expires when nothing is published' : [],
    ].flat();
    return problems.length === 0 ? [] : [wrong(subject, problems.join('; '), mend)];
  } catch (error) {
    if (!hasGrpcStatus(error, 'notFound')) throw error;
    return [wrong(subject, 'is not there: messages published meanwhile never reach the function', mend)];
  }
}

/** The queue of delayed retries: there, running, and never giving up on a task. */
export async function checkQueue(tasks: CloudTasksClient, queueName: string): Promise<Finding> {
  const subject = `queue ${queueName.split('/').at(-1) ?? ''}`;
  try {
    const [queue] = await tasks.getQueue({ name: queueName });
    if (queue.state === 'PAUSED' || queue.state === 'DISABLED') {
      return wrong(subject, `is ${queue.state.toLowerCase()}`, `gcloud tasks queues resume ${queueName}`);
    }
    if (queue.retryConfig?.maxAttempts !== -1) {
      return wrong(
        subject,
        'gives up on tasks, and a task is the only copy of its message',
        `${apply}: queues.tf says -1.`,
      );
    }
    return ok(subject, 'runs, and never gives up');
  } catch (error) {
    if (hasGrpcStatus(error, 'notFound')) return wrong(subject, 'is not there', `${apply}: queues.tf makes it.`);
    return wrong(subject, `cannot be read: ${told(error)}`, 'Whoever runs the doctor needs roles/cloudtasks.viewer.');
  }
}
