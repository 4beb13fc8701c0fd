import type { OutboxMessage } from '../contracts/documents.ts';
import type { Logger } from './logger.ts';

/**
 * Publishes messages that are already committed to the outbox. When Pub/Sub is not to be reached they stay there for
 * `outbox-sweeper`: the fact they announce is true already, so the caller is not told of trouble.
 */
export async function deliverOrLeave(
  deliver: (messages: readonly OutboxMessage[]) => Promise<void>,
  messages: readonly OutboxMessage[],
  log: Logger,
): Promise<void> {
  try {
    await deliver(messages);
  } catch (error) {
    log.warn({ err: error, left: messages.length }, 'not published yet, left to the outbox sweeper');
  }
}
