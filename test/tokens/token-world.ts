/**
 * One tenant with a child business at the simulated Meta, the embedded Secret Manager and Firestore, and as many
 * processes as a test wants. A process can be killed before any call it makes: that call and all later ones never return.
 */
import type { Firestore } from '@google-cloud/firestore';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { paths } from '../../shared/contracts/documents.ts';
import type { Tenant } from '../../shared/contracts/documents.ts';
import { tokenSchema } from '../../shared/contracts/token-documents.ts';
import type { TokenRecord } from '../../shared/contracts/token-documents.ts';
import { secretName, systemUserName } from '../../shared/domain/naming.ts';
import { connectFirestore, readDocument } from '../../shared/gcp/firestore.ts';
import { createRelayBreaker } from '../../shared/gcp/relay-breaker.ts';
import { createSecretStore } from '../../shared/gcp/secret-store.ts';
import { createSecretsInUse } from '../../shared/gcp/secrets-in-use.ts';
import { TokenLease } from '../../shared/gcp/token-lease.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../shared/meta/graph-client.ts';
import { childTokenPermissions } from '../../shared/meta/permissions.ts';
import { createTenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { createTokenMint } from '../../shared/runtime/token-mint.ts';
import type { MintRequest, TokenMint } from '../../shared/runtime/token-mint.ts';
import { startEmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import type { EmbeddedFirestore } from '../local/google/firestore/embedded-firestore.ts';
import {
  secretManagerClientOptions,
  startEmbeddedSecretManager,
} from '../local/google/secret-manager/embedded-secret-manager.ts';
import type { EmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import type { Notification } from '../local/google/secret-manager/notifications.ts';
import { GraphCaller } from '../simulator/graph-caller.ts';
import { seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';

export const tenantId = 'acme-shop';
export const projectId = 'kobi-tokens';
export const secretId = secretName.systemToken(tenantId);
export const scopes = childTokenPermissions({ catalog: true });
const start = new Date('2026-11-23T10:00:00.000Z');

type Store = ReturnType<typeof createSecretStore>;

export interface TokenProcess {
  readonly mint: TokenMint;
  readonly lease: TokenLease;
  readonly secrets: Store;
  readonly graph: GraphClient;
  readonly credentials: ReturnType<typeof createTenantCredentials>;
  /** Calls to Meta, Secret Manager and Firestore so far, by name. */
  readonly calls: string[];
  /** Resolves when the process was killed. */
  readonly death: Promise<'killed'>;
  /** Stops the process before its next call of that name, as a machine may, until told to go on. */
  holdBefore(call: string): { readonly reached: Promise<void>; readonly go: () => void };
}

export interface TokenWorld {
  readonly simulator: Simulator;
  readonly firestore: EmbeddedFirestore;
  readonly secretManager: EmbeddedSecretManager;
  readonly db: Firestore;
  readonly clock: { now: Date };
  readonly childBusinessId: string;
  /** @param killBefore the call, counting from 1, before which the process dies */
  open(killBefore?: number): TokenProcess;
  request(replacing: string | null): MintRequest;
  record(): Promise<TokenRecord | undefined>;
  /** Versions of the system token and their states, oldest first. */
  versions(): { readonly version: string; readonly state: string; readonly payload: string | undefined }[];
  /** A person enables a version in Google's console. */
  enable(version: string): Promise<void>;
  labels(): Promise<Record<string, string>>;
  /** A token of the child's system user that nobody put anywhere. */
  issueToken(scopes: readonly string[]): string;
  /** From now on Meta leaves this permission out of every child token it gives. */
  grantLess(scope: string): void;
  /** The most versions that were ever enabled at the same time. */
  mostEnabled(): number;
  /** How often Meta was asked for a child token. */
  mints(): number;
  /** Whether Meta takes the token of this version. */
  isAlive(version: string): boolean;
  /** Meta no longer takes the token of this version. */
  kill(version: string): void;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** @param options.realTime for tests with real processes */
export async function startTokenWorld(
  options: { readonly realTime?: boolean; readonly publish?: (topic: string, message: Notification) => void } = {},
): Promise<TokenWorld> {
  const clock = { now: start };
  const now = (): Date => (options.realTime === true ? new Date() : clock.now);
  const simulator = await startSimulator({ now });
  const firestore = await startEmbeddedFirestore({ projectId });
  const versions = (): { version: string; state: string; payload: string | undefined }[] =>
    (secretManager.dump().find(({ name }) => name.endsWith(`/${secretId}`))?.versions ?? []).map(
      ({ name, state, payload }) => ({ version: name.split('/').at(-1) ?? '', state, payload }),
    );
  const seen = { mostEnabled: 0 };
  const secretManager = await startEmbeddedSecretManager({
    publish: (topic, message) => {
      const enabled = versions().filter(({ state }) => state === 'ENABLED').length;
      seen.mostEnabled = Math.max(seen.mostEnabled, enabled);
      options.publish?.(topic, message);
    },
  });
  process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host;
  const db = connectFirestore(projectId);
  const stores: Store[] = [];
  const graphs: GraphClient[] = [];
  const openStore = (): Store => {
    const store = createSecretStore({
      projectId,
      emulatorHost: secretManager.host,
      now,
      notificationTopic: `projects/${projectId}/topics/secret-notifications`,
      inUse: createSecretsInUse(db),
    });
    stores.push(store);
    return store;
  };
  const client = new SecretManagerServiceClient(secretManagerClientOptions(secretManager.host));
  const admin = openStore();
  await admin.add(secretName.appSecret, seed.appSecret, {});
  await admin.add(secretName.parentToken, seed.parentSystemUserToken, {});
  const child = { id: '' };
  const makeChild = async (): Promise<void> => {
    const caller = new GraphCaller(simulator.url);
    const user = await caller.logIn();
    const { id } = await caller.done<{ id: string }>(
      caller.post(`/${seed.parentBusinessId}/owned_businesses`, user, {
        name: 'Acme',
        vertical: 'ECOMMERCE',
        shared_page_id: seed.page.id,
        page_permitted_tasks: ['ADVERTISE', 'ANALYZE'],
      }),
    );
    child.id = id;
  };
  await makeChild();

  const tokenOf = (version: string) =>
    simulator.context.tokens.find(versions().find((row) => row.version === version)?.payload ?? '');

  const world: TokenWorld = {
    simulator,
    firestore,
    secretManager,
    db,
    clock,
    get childBusinessId() {
      return child.id;
    },
    open(killBefore = Number.POSITIVE_INFINITY) {
      const calls: string[] = [];
      let die = (): void => undefined;
      const death = new Promise<'killed'>((resolve) => {
        die = () => resolve('killed');
      });
      let hold: { readonly call: string; readonly reach: () => void; readonly gone: Promise<void> } | undefined;
      const guard: Guard = (name) => {
        calls.push(name);
        if (calls.length >= killBefore) {
          die();
          return new Promise<never>(() => undefined);
        }
        if (hold?.call !== name) return undefined;
        const { gone, reach } = hold;
        hold = undefined;
        reach();
        return gone;
      };
      const holdBefore: TokenProcess['holdBefore'] = (call) => {
        const reached = Promise.withResolvers<void>();
        const gone = Promise.withResolvers<void>();
        hold = { call, reach: () => reached.resolve(), gone: gone.promise };
        return { reached: reached.promise, go: () => gone.resolve() };
      };
      const secrets = mortal(openStore(), 'secrets', guard);
      const lease = mortal(new TokenLease({ db, now }), 'lease', guard);
      const credentials = createTenantCredentials({ secrets: admin });
      const graph = createGraphClient({
        baseUrl: simulator.url,
        appSecret: () => credentials.appSecret(),
        now: () => now().getTime(),
        sleep: async () => undefined,
      });
      graphs.push(graph);
      const mortalGraph: GraphClient = {
        as: (token) => mortal(graph.as(token), 'graph', guard),
        oauth: (...args) => graph.oauth(...args),
        appToken: (appId) => graph.appToken(appId),
        close: () => graph.close(),
      };
      const sleep = async (ms: number): Promise<void> => {
        clock.now = new Date(clock.now.getTime() + ms);
      };
      const mint = createTokenMint({
        lease,
        secrets,
        graph: mortalGraph,
        credentials,
        appId: seed.appId,
        now,
        breaker: createRelayBreaker(db, { now }),
        ...(options.realTime === true ? {} : { sleep }),
      });
      return { mint, lease, secrets, graph: mortalGraph, credentials, calls, death, holdBefore };
    },
    request: (replacing) => ({
      tenantId,
      childBusinessId: child.id,
      scopes,
      systemUserName: systemUserName(tenantId),
      replacing,
    }),
    record: async () => readDocument(await db.doc(paths.token(tenantId)).get(), tokenSchema),
    versions,
    async enable(version) {
      await client.enableSecretVersion({ name: `projects/${projectId}/secrets/${secretId}/versions/${version}` });
    },
    async labels() {
      const [secret] = await client.getSecret({ name: `projects/${projectId}/secrets/${secretId}` });
      return secret.labels ?? {};
    },
    issueToken(granted) {
      const [earlier] = [...simulator.context.tokens.all()].filter(({ businessId }) => businessId === child.id);
      if (earlier === undefined) throw new Error('the child business has no system user yet');
      const { kind, ownerId, businessId, pageIds } = earlier;
      const life = 'never';
      return simulator.context.tokens.issue({ kind, ownerId, businessId, pageIds, scopes: granted, life }).value;
    },
    grantLess(scope) {
      const { tokens } = simulator.context;
      const issue = tokens.issue.bind(tokens);
      tokens.issue = (token) => issue({ ...token, scopes: [...token.scopes].filter((granted) => granted !== scope) });
    },
    mostEnabled: () => seen.mostEnabled,
    mints: () => simulator.log.entries().filter(({ operation }) => operation === 'create_child_token').length,
    isAlive: (version) => {
      const token = tokenOf(version);
      return token !== undefined && simulator.context.tokens.isAlive(token);
    },
    kill(version) {
      const token = tokenOf(version);
      if (token === undefined) throw new Error(`no token in version ${version}`);
      token.revokedSubcode = 467;
    },
    async reset() {
      firestore.clear();
      simulator.reset();
      clock.now = start;
      await client.deleteSecret({ name: `projects/${projectId}/secrets/${secretId}` }).catch(() => undefined);
      seen.mostEnabled = 0;
      await makeChild();
    },
    async close() {
      await Promise.all([client, ...stores, ...graphs].map((open) => open.close()));
      await db.terminate();
      await Promise.all([firestore.close(), secretManager.close(), simulator.close()]);
    },
  };
  return world;
}

/** Says whether a call may go on at once (undefined), later, or never. */
type Guard = (call: string) => Promise<void> | undefined;

/** The object, whose every asynchronous method asks the guard first. */
function mortal<T extends object>(target: T, name: string, guard: Guard): T {
  return new Proxy(target, {
    get(object, key) {
      const member: unknown = Reflect.get(object, key, object);
      if (typeof member !== 'function' || key === 'forget') {
        return typeof member === 'function' ? member.bind(object) : member;
      }
      return async (...args: unknown[]): Promise<unknown> => {
        await guard(`${name}.${String(key)}`);
        return Reflect.apply(member, object, args);
      };
    },
  });
}

export function tenantOf(changes: Partial<Tenant> = {}): Tenant {
  const at = start.toISOString();
  return {
    tenantId,
    slug: tenantId,
    name: 'Acme Shop',
    planId: 'starter',
    vertical: 'ecommerce',
    skus: ['ecommerce'],
    country: 'TR',
    currency: 'TRY',
    timezone: 'Europe/Istanbul',
    domains: [],
    domainVerification: 'auto',
    status: 'live',
    createdAt: at,
    createdBy: 'test',
    terms: { tos: true, dataSharing: true, acceptedBy: 'owner', acceptedAt: at },
    connection: null,
    currentRunId: 'run-1',
    ...changes,
  };
}
