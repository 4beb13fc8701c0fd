/**
 * One server of the relay's bench, in a process of its own so that it can have a core to itself. `relay`: capi-relay as it
 * is deployed, with the directory and the queue in memory. `parse-only`: functions-framework reading and parsing the same
 * body and answering as many bytes.
 */
import { defaultRelaySettings } from '../../shared/contracts/relay-documents.ts';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { relayFunction } from '../../functions/relay/capi-relay/relay-function.ts';
import { createLogger } from '../../shared/runtime/logger.ts';
import { benchDatasetId, benchKey } from './relay-events.ts';

const kind = process.argv[2];
const created = { createdAt: new Date().toISOString(), createdBy: 'bench', revokedAt: null };
const { relayKeyId, sha256 } = benchKey;
const found = {
  dataset: Promise.resolve({
    datasetId: benchDatasetId,
    tenantId: 'acme',
    country: 'TR',
    vertical: 'ecommerce' as const,
    settings: defaultRelaySettings,
    ...created,
  }),
  relayKey: Promise.resolve({
    relayKeyId,
    sha256,
    tenantId: 'acme',
    purpose: 'server' as const,
    events: null,
    notAfter: null,
    ...created,
  }),
};

if (kind === 'relay') {
  const log = createLogger({ level: 'info', functionName: 'capi-relay' });
  http(
    'server',
    relayFunction(() => ({
      directory: { dataset: () => found.dataset, relayKey: () => found.relayKey },
      // Pub/Sub takes the message in a later turn of the event loop; its client's own cost is not in this figure.
      queue: () => new Promise((resolve) => void setImmediate(resolve)),
      proxy: 'serverless',
      projectId: 'bench',
      log,
      now: () => new Date(),
    })),
  );
} else {
  http('server', (request, response) => {
    const { data } = request.body as { data: unknown[] };
    const body = { events_received: data.length, messages: [], fbtrace_id: 'A'.repeat(23), refused: [], warnings: [] };
    response.status(200).json(body);
  });
}

const server = getTestServer('server');
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
process.once('disconnect', () => process.exit(0));
/** Any message asks for the CPU time used so far, in microseconds: on a machine that does other work too, it is steadier than the clock. */
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
