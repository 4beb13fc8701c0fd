import { createHash } from 'node:crypto';
import type { CloudEvent } from '@google-cloud/functions-framework';
import { parseEnvelope } from '../contracts/topics.ts';
import type { Envelope, TopicName } from '../contracts/topics.ts';
import type { DeadLetterStore } from '../gcp/dead-letter-store.ts';
import type { Logger } from './logger.ts';
import { traceFields } from './logger.ts';
import { OutcomeError } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';
import { messageText, parseJson } from './pubsub-message.ts';
import { startSpan } from './tracing.ts';
import type { Span } from './tracing.ts';

export interface PubsubFunctionDependencies {
  readonly projectId: string;
  readonly log: Logger;
  readonly deadLetters: Pick<DeadLetterStore, 'record'>;
  /** Brings a message back at a known time; absent where the function never asks for that. */
  readonly retryAt?: (envelope: Envelope, at: Date) => Promise<void>;
  readonly now: () => Date;
}

/** What a message handler is given: a valid envelope and a logger bound to it. */
export type MessageHandler<Topic extends TopicName> = (envelope: Envelope<Topic>, log: Logger) => Promise<Outcome>;

/** Not acknowledged on purpose: Pub/Sub delivers again after its back-off. The text becomes the response body. */
class Nack extends Error {
  override readonly name = 'Nack';
}

/**
 * Turns a message handler into a CloudEvent function: decode, validate, run, map the outcome to ack or nack.
 *
 * A message that fails validation is recorded as a dead letter with what was expected, and acknowledged, because
 * delivering it again cannot help. The returned function has exactly one parameter: functions-framework treats a handler
 * with two as callback style and would never answer.
 */
export function pubsubFunction<Topic extends TopicName>(
  topic: Topic,
  dependencies: () => PubsubFunctionDependencies,
  handle: MessageHandler<Topic>,
): (event: CloudEvent<unknown>) => Promise<void> {
  return async (event) => {
    const { deadLetters, log, projectId, retryAt, now } = dependencies();
    // A push that functions-framework does not recognise is handed over as it came.
    const text = messageText(event.data ?? event);
    const parsed = parseEnvelope(topic, parseJson(text));
    if (!parsed.ok) {
      const deadLetterId = await deadLetters.record({
        topic,
        tenantId: null,
        eventId: null,
        identity: createHash('sha256')
          .update(text ?? JSON.stringify(event))
          .digest('hex'),
        reason: 'malformed-message',
        problems: parsed.problems,
        payload: null,
      });
      log.error(
        { topic, messageId: event.id, deadLetterId, problems: parsed.problems },
        'malformed message, recorded as dead letter',
      );
      return;
    }
    // What the message causes comes under the span of its being worked on; what nobody records keeps the trace it came with.
    const span = startSpan('consumer', parsed.envelope.traceparent);
    const envelope = under(span, parsed.envelope);
    const bound = log.child({
      tenantId: envelope.tenantId,
      runId: envelope.runId,
      eventId: envelope.eventId,
      ...traceFields(projectId, envelope.traceparent),
    });
    let ended = 'unexpected error';
    try {
      const outcome = await outcomeOf(() => span.run(() => handle(envelope, bound)), bound);
      ended = outcome.kind;
      if (outcome.kind !== 'retry') return;
      if (outcome.afterMs === undefined || retryAt === undefined) throw new Nack('retry');
      await retryAt(envelope, new Date(now().getTime() + outcome.afterMs));
    } finally {
      endOf(span, envelope, ended);
    }
  };
}

function under<Topic extends TopicName>(span: Span, envelope: Envelope<Topic>): Envelope<Topic> {
  const { traceparent } = span;
  return traceparent === envelope.traceparent ? envelope : { ...envelope, traceparent };
}

function endOf(span: Span, { eventId, hop = 0, runId, tenantId, type }: Envelope, outcome: string): void {
  span.end({
    name: `process ${type}`,
    attributes: {
      'messaging.system': hop === 0 ? 'gcp_pubsub' : 'gcp_cloud_tasks',
      'messaging.operation.name': 'process',
      'messaging.destination.name': type,
      'messaging.message.id': eventId,
      'kobi.tenant_id': tenantId,
      'kobi.run_id': runId,
      'kobi.hop': hop,
      'kobi.outcome': outcome,
    },
    failed: outcome === 'failed' || outcome === 'unexpected error',
  });
}

async function outcomeOf(work: () => Promise<Outcome>, log: Logger): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OutcomeError) return error.outcome;
    // The thrown message would become the response body, so the cause stays in the log.
    log.error({ err: error }, 'unexpected error, the message is delivered again');
    throw new Nack('unexpected error');
  }
}
