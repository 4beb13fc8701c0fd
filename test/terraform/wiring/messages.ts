/** Topics, subscriptions, dead letters, schedules and the queue. */
import { deadLetterTopic, secretNotificationTopic, topicNames } from '../../../shared/contracts/topics.ts';
import { delayedRetryQueue } from '../../../shared/runtime/delayed-retry.ts';
import { accountIn, agent, blocks, compare, differences, idOf, keysOf, usesTasks } from './expectation.ts';
import type { Expectations } from './expectation.ts';
import { text } from '../value.ts';
import type { Plan } from '../configuration.ts';

export function topics(plan: Plan, { manifests }: Expectations): string[] {
  const publishers = plan
    .of('google_pubsub_topic_iam_member')
    .map(({ values }) => `${accountIn(values)} to ${text(values['topic'])} as ${text(values['role'])}`);
  const expected = [
    ...manifests.flatMap(({ name, emits }) => emits.map((topic) => `${name} to ${topic}`)),
    `${agent('pubsub')} to ${deadLetterTopic}`,
    `${agent('secretmanager')} to ${secretNotificationTopic}`,
  ];
  // Those of the contracts that a manifest names; test/topology.test.ts holds contracts and manifests together.
  const named = new Set(manifests.flatMap(({ trigger, emits }) => ['topic' in trigger ? trigger.topic : '', ...emits]));
  return [
    ...compare(
      'topics',
      plan.of('google_pubsub_topic').map(({ values }) => text(values['name'])),
      topicNames.filter((topic) => named.has(topic)),
    ),
    ...compare(
      'publishers',
      publishers,
      expected.map((each) => `${each} as roles/pubsub.publisher`),
    ),
  ];
}

export function subscriptions(plan: Plan, { manifests, projectId }: Expectations): string[] {
  const made = plan.of('google_pubsub_subscription');
  const subscribers = manifests.filter(({ trigger }) => 'topic' in trigger);
  const problems = compare(
    'subscriptions',
    made.map(({ values }) => text(values['name'])),
    subscribers.map(({ name }) => name),
  );
  const givingUp = subscribers.filter(({ maxAttempts }) => maxAttempts !== undefined).map(({ name }) => name);
  problems.push(
    ...compare(
      'subscriptions from which Pub/Sub may take what goes to the dead letters',
      plan
        .of('google_pubsub_subscription_iam_member')
        .map(({ values }) => `${text(values['subscription'])} ${text(values['role'])} ${text(values['member'])}`),
      givingUp.map((name) => `${name} roles/pubsub.subscriber ${agent('pubsub')}`),
    ),
  );
  for (const { name, trigger, timeoutSeconds, maxAttempts, ordering = false } of subscribers) {
    const instance = made.find(({ values }) => values['name'] === name);
    if (instance === undefined || !('topic' in trigger)) continue;
    const { values } = instance;
    const what = `subscription ${name}`;
    const address = `‹google_cloudfunctions2_function.function["${name}"].service_config[0].uri›`;
    const [push] = blocks(values, 'push_config');
    const [oidc] = blocks(push ?? {}, 'oidc_token');
    const [deadLetter] = blocks(values, 'dead_letter_policy');
    const [expiry] = blocks(values, 'expiration_policy');
    const [retry] = blocks(values, 'retry_policy');
    problems.push(
      ...differences(what, values, {
        topic: idOf('google_pubsub_topic', trigger.topic),
        enable_message_ordering: ordering,
      }),
      ...differences(what, push ?? {}, { push_endpoint: `${address}/projects/${projectId}/topics/${trigger.topic}` }),
      ...differences(what, oidc ?? {}, {
        audience: address,
        service_account_email: `pubsub-push@${projectId}.iam.gserviceaccount.com`,
      }),
      ...differences(what, expiry ?? {}, { ttl: '' }),
      ...differences(what, deadLetter ?? {}, {
        dead_letter_topic: maxAttempts === undefined ? null : idOf('google_pubsub_topic', deadLetterTopic),
        max_delivery_attempts: maxAttempts ?? null,
      }),
    );
    if (retry === undefined) problems.push(`${what}: no retry_policy, so a failing message comes again at once`);
    const deadline = Number(values['ack_deadline_seconds']);
    if (deadline < Math.min(timeoutSeconds, 600))
      problems.push(
        `${what}: ack_deadline_seconds ${deadline} is shorter than the function may take (${timeoutSeconds})`,
      );
    if (Number.parseInt(text(values['message_retention_duration']), 10) < 604_800)
      problems.push(`${what}: messages must be kept for seven days at least`);
  }
  return problems;
}

export function schedules(plan: Plan, { manifests, projectId }: Expectations): string[] {
  const jobs = plan.of('google_cloud_scheduler_job');
  const scheduled = manifests.filter(({ trigger }) => 'schedule' in trigger);
  const problems = compare(
    'scheduled jobs',
    keysOf(jobs),
    scheduled.map(({ name }) => name),
  );
  for (const { name, trigger } of scheduled) {
    const instance = jobs.find(({ key }) => key === name);
    if (instance === undefined || !('schedule' in trigger)) continue;
    const address = `‹google_cloudfunctions2_function.function["${name}"].service_config[0].uri›`;
    const [target] = blocks(instance.values, 'http_target');
    const [oidc] = blocks(target ?? {}, 'oidc_token');
    const [retry] = blocks(instance.values, 'retry_config');
    problems.push(
      ...differences(
        `job ${name}`,
        { ...target, ...oidc, ...instance.values },
        {
          schedule: trigger.schedule,
          time_zone: trigger.timeZone,
          uri: address,
          audience: address,
          service_account_email: `scheduler@${projectId}.iam.gserviceaccount.com`,
        },
      ),
    );
    if (Number(retry?.['retry_count'] ?? 0) < 1) problems.push(`job ${name}: it must be tried again when it fails`);
  }
  return problems;
}

export function queue(plan: Plan, { manifests }: Expectations): string[] {
  const queues = plan.of('google_cloud_tasks_queue');
  const problems = compare(
    'queues',
    queues.map(({ values }) => text(values['name'])),
    [delayedRetryQueue],
  );
  const [retry] = blocks(queues[0]?.values ?? {}, 'retry_config');
  problems.push(
    ...differences(`queue ${delayedRetryQueue} (a task that is out of attempts is gone with its events)`, retry ?? {}, {
      max_attempts: -1,
      max_retry_duration: '0s',
    }),
  );
  const users = manifests.filter(usesTasks).map(({ name }) => name);
  const allowed = (type: string, name?: string): string[] =>
    plan.of(type, name).map(({ values }) => `${accountIn(values)} ${text(values['role'])}`);
  return [
    ...problems,
    ...compare(
      'who puts tasks into the queue',
      allowed('google_cloud_tasks_queue_iam_member'),
      users.map((name) => `${name} roles/cloudtasks.enqueuer`),
    ),
    ...compare(
      'who may have tasks called in the queue’s name',
      allowed('google_service_account_iam_member', 'task_users'),
      users.map((name) => `${name} roles/iam.serviceAccountUser`),
    ),
  ];
}
