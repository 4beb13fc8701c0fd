/** Events of one tenant on their way to Meta, beside whatever else happens to it: the relay's door, a queue, and instances. */
import { parseEnvelope } from '../../shared/contracts/topics.ts';
import { secretName } from '../../shared/domain/naming.ts';
import { createDeliveryLedger } from '../../shared/gcp/delivery-ledger.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { createRelayDirectory } from '../../shared/gcp/relay-directory.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { datasetSender } from '../../functions/relay/capi-deliver/dataset-sender.ts';
import { createDelivery } from '../../functions/relay/capi-deliver/deliver.ts';
import { accept } from '../../functions/relay/capi-relay/accept.ts';
import type { FallbackWorld } from './fallback-world.ts';

/** An instance of `capi-deliver`: it remembers what it read of a dataset for half a minute. */
export type DeliveringInstance = (json: string) => Promise<void>;

export interface EventFlow {
  /** What the relay answered with 200 to, in order. */
  readonly sent: string[];
  /** Messages in the queue, each the text of one envelope; a test delivers them, to whom and as often as it likes. */
  readonly queue: string[];
  /** What did not reach Meta at once: dead letters and messages that are to come back. */
  readonly troubles: string[];
  /** A shop sends one event. */
  send(eventId: string): Promise<void>;
  startInstance(): DeliveringInstance;
  close(): Promise<void>;
}

const log = createLogger({ level: 'silent', functionName: 'event-flow' });

export function openEventFlow({ clock, db, dispatcher, openSecrets, simulator }: FallbackWorld, of: TenantDataset) {
  const now = (): Date => clock.now;
  const closing: (() => Promise<void>)[] = [];
  const directory = createRelayDirectory(db, { now });
  const flow: EventFlow = {
    sent: [],
    queue: [],
    troubles: [],
    async send(eventId) {
      const key = (await openSecrets().latest(secretName.relayKey(of.tenantId)))?.value;
      const event = {
        event_name: 'Lead',
        event_id: eventId,
        event_time: Math.floor(now().getTime() / 1_000),
        action_source: 'system_generated',
        user_data: { em: `${eventId}@example.com` },
      };
      const body = { data: [event], access_token: key };
      const url = `/v25.0/${of.datasetId}/events`;
      const answer = await accept(
        { method: 'POST', url, headers: {}, remoteAddress: undefined, body, bodyBytes: 1_000 },
        {
          directory,
          queue: async (json) => void flow.queue.push(json),
          proxy: 'serverless',
          projectId: 'kobi-faults',
          log,
          now,
        },
      );
      if (answer.status !== 200) throw new Error(`the relay answered ${eventId} with ${answer.status}: ${answer.body}`);
      flow.sent.push(eventId);
    },
    startInstance() {
      const credentials = createTenantCredentials({ secrets: openSecrets() });
      const graph = createGraphClient({
        baseUrl: simulator.url,
        appSecret: () => credentials.appSecret(),
        now: () => now().getTime(),
        dispatcher: dispatcher(),
      });
      closing.push(() => graph.close());
      const deliver = createDelivery({
        graph,
        senderOf: datasetSender(createRelayDirectory(db, { now }), credentials),
        deadLetters: {
          record: async ({ reason }) => {
            flow.troubles.push(`dead letter: ${reason}`);
            return 'id';
          },
        },
        ledger: createDeliveryLedger(db, { now }),
        breaker: createRelayBreaker(db, { now }),
        counters: { count: () => undefined, latency: () => undefined, flushIfDue: () => undefined },
        bringBack: async ({ eventId }, at) => void flow.troubles.push(`${eventId} comes back at ${at.toISOString()}`),
        partnerAgent: 'kobi_1_0',
        log,
        now,
        schedule: (run) => run(),
        gatherMs: 0,
      });
      return async (json) => {
        const parsed = parseEnvelope('capi-events', JSON.parse(json));
        if (!parsed.ok) throw new Error(parsed.problems.join('; '));
        const { kind } = await deliver(parsed.envelope, log);
        if (kind !== 'done') flow.troubles.push(`not acknowledged: ${kind}`);
      };
    },
    close: async () => void (await Promise.all(closing.map((close) => close()))),
  };
  return flow;
}

interface TenantDataset {
  readonly tenantId: string;
  readonly datasetId: string;
}
