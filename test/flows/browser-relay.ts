/** The real capi-relay behind functions-framework's own server, with one tenant and a queue in memory. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { relayFunction } from '../../functions/relay/capi-relay/relay-function.ts';
import { defaultRelaySettings } from '../../shared/contracts/relay-documents.ts';
import type { RelayKeyPurpose, RelaySettings } from '../../shared/contracts/relay-documents.ts';
import type { Envelope } from '../../shared/contracts/topics.ts';
import type { HashedServerEvent } from '../../shared/domain/server-event/server-event.ts';
import { makeRelayKey } from '../../shared/domain/relay-key.ts';
import { createLogger } from '../../shared/runtime/logger.ts';

export const dataset = '111';

export interface BrowserRelay {
  readonly port: number;
  readonly keys: Readonly<Record<RelayKeyPurpose, string>>;
  /** Every event queued so far, hashed. */
  readonly events: () => HashedServerEvent[];
  /** The text of what was queued. */
  readonly queued: string[];
  /** Changes the tenant's settings for the requests that follow. */
  configure(settings: Partial<RelaySettings>): void;
  close(): Promise<void>;
}

export async function startBrowserRelay(
  functionName: string,
  now: () => Date = () => new Date(),
): Promise<BrowserRelay> {
  const queued: string[] = [];
  let settings = defaultRelaySettings;
  const made = {
    createdAt: '2026-11-23T12:00:00.000Z',
    createdBy: 'test',
    events: null,
    notAfter: null,
    revokedAt: null,
  };
  const keyOf = (seed: number): ReturnType<typeof makeRelayKey> =>
    makeRelayKey(Buffer.alloc(8, seed), Buffer.alloc(32, seed));
  const parts = { server: keyOf(1), browser: keyOf(2), crm: keyOf(3) };
  const purposes = ['server', 'browser', 'crm'] as const;
  const dependencies = {
    directory: {
      dataset: async (datasetId: string) =>
        datasetId === dataset
          ? {
              datasetId,
              tenantId: 'acme',
              country: 'TR',
              vertical: 'ecommerce' as const,
              createdAt: made.createdAt,
              settings,
            }
          : undefined,
      relayKey: async (relayKeyId: string) => {
        const purpose = purposes.find((name) => parts[name].relayKeyId === relayKeyId);
        if (purpose === undefined) return undefined;
        return { relayKeyId, sha256: parts[purpose].sha256, tenantId: 'acme', purpose, ...made };
      },
    },
    queue: async (json: string) => void queued.push(json),
    proxy: 'serverless' as const,
    projectId: 'kobi',
    log: createLogger({ level: 'silent', functionName }),
    now,
  };
  http(
    functionName,
    relayFunction(() => dependencies),
  );
  const server: Server = getTestServer(functionName);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    keys: { server: parts.server.key, browser: parts.browser.key, crm: parts.crm.key },
    events: () =>
      queued.flatMap((json) => (JSON.parse(json) as Envelope<'capi-events'>).data.events as HashedServerEvent[]),
    queued,
    configure: (changed) => void (settings = { ...settings, ...changed }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
