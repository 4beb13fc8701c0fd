import { asFallbackToken } from '../../shared/meta/access-token.ts';
import type { AccessToken } from '../../shared/meta/access-token.ts';
import { GraphError } from '../../shared/meta/errors.ts';
import { createGraphClient } from '../../shared/meta/graph-client.ts';
import type { GraphClient } from '../../shared/meta/graph-client.ts';
import { debugToken } from '../../shared/meta/oauth.ts';
import type { TokenFacts } from '../../shared/meta/oauth.ts';
import { childTokenPermissions } from '../../shared/meta/permissions.ts';
import { listSystemUsers } from '../../shared/meta/system-users.ts';
import { graphVersion } from '../../shared/meta/version.ts';
import type { TenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import { notChecked, ok, told, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

export interface MetaFacts {
  readonly graphUrl: string;
  readonly appId: string;
  readonly parentBusinessId: string;
}

const subjects = {
  app: 'Meta app token',
  parent: 'parent token',
  role: "parent token's role",
  version: 'Graph version',
};

/** Asks Meta: does it take the app's token, is the parent's alive, allowed and an admin's, and is our version still served. */
export async function checkMeta(facts: MetaFacts, credentials: TenantCredentials): Promise<Finding[]> {
  const answeredVersions = new Set<string>();
  let calls = 0;
  const graph = createGraphClient({
    baseUrl: facts.graphUrl,
    appSecret: () => credentials.appSecret(),
    now: Date.now,
    onCall: ({ status, answeredVersion }) => {
      if (status !== undefined) calls += 1;
      if (answeredVersion !== undefined) answeredVersions.add(answeredVersion);
    },
  });
  try {
    const findings = await checkTokens(graph, facts, credentials);
    const version =
      calls === 0
        ? notChecked(subjects.version, 'no call to Meta was answered')
        : answeredVersions.size === 0
          ? ok(subjects.version, graphVersion)
          : wrong(
              subjects.version,
              `asked for ${graphVersion}, Meta answered with ${[...answeredVersions].join(', ')}: ours has ended`,
              'Run the contract suite against the version Meta answers with, then set graphVersion in shared/meta/version.ts and deploy.',
            );
    return [...findings, version];
  } finally {
    await graph.close();
  }
}

async function checkTokens(graph: GraphClient, facts: MetaFacts, credentials: TenantCredentials): Promise<Finding[]> {
  let parent: AccessToken<'parent'>;
  let token: TokenFacts;
  try {
    const app = await credentials.app(facts.appId);
    try {
      parent = await credentials.parent();
    } catch {
      // Why is a finding of the secrets; that the app's token works is asked of Meta with the token itself.
      const self = await debugToken(graph.as(app), app);
      return [
        self.appId === undefined || self.appId === facts.appId
          ? ok(subjects.app, 'Meta takes it')
          : appIsWrong(facts, ''),
        notChecked(subjects.parent, 'there is none to ask Meta about'),
        notChecked(subjects.role, 'there is no token to ask with'),
      ];
    }
    token = await debugToken(graph.as(app), parent);
  } catch (error) {
    const rest = [notChecked(subjects.parent, 'Meta tells only the app'), notChecked(subjects.role, 'as above')];
    if (error instanceof GraphError) return [appIsWrong(facts, told(error)), ...rest];
    return [notChecked(subjects.app, told(error)), ...rest];
  }
  const app = ok(subjects.app, 'Meta takes it');
  const mend =
    "In Kobi's Business Manager, System users › the admin › Generate token (this app, never expiring), then add it as a new " +
    'version of the secret meta-parent-token.';
  if (!token.isValid) {
    const why = token.errorSubcode ?? token.errorCode;
    return [
      app,
      wrong(subjects.parent, `is dead${why === undefined ? '' : ` (Meta's code ${why})`}`, mend),
      notChecked(subjects.role, 'a dead token shows none'),
    ];
  }
  const missing = childTokenPermissions({ catalog: true }).filter((scope) => !token.scopes.includes(scope));
  const end =
    token.expiresAtMs === undefined ? 'never expires' : `expires ${new Date(token.expiresAtMs).toISOString()}`;
  const alive =
    token.appId !== undefined && token.appId !== facts.appId
      ? wrong(subjects.parent, `was made by app ${token.appId}, not by ${facts.appId}`, mend)
      : missing.length > 0
        ? wrong(subjects.parent, `lacks the permissions ${missing.join(', ')}`, mend)
        : token.expiresAtMs === undefined
          ? ok(subjects.parent, `alive, ${end}`)
          : wrong(subjects.parent, `alive, but ${end}: nothing here replaces it`, mend);
  return [app, alive, await checkRole(graph, facts, parent, token)];
}

function appIsWrong({ appId }: MetaFacts, says: string): Finding {
  return wrong(
    subjects.app,
    `Meta refuses it: ${says}`,
    `META_APP_ID (${appId}) and the secret meta-app-secret must be of one app: App settings › Basic.`,
  );
}

async function checkRole(
  graph: GraphClient,
  { parentBusinessId }: MetaFacts,
  parent: AccessToken<'parent'>,
  { userId }: TokenFacts,
): Promise<Finding> {
  const mend = `In the Business Manager ${parentBusinessId}, System users: make an admin system user and take its token.`;
  try {
    const users = await listSystemUsers(graph.as(asFallbackToken(parent)), parentBusinessId);
    const own = users.find(({ id }) => id === userId);
    if (own === undefined)
      return wrong(subjects.role, `is of no system user of the business ${parentBusinessId}`, mend);
    if (own.role !== 'ADMIN') return wrong(subjects.role, `is ${own.role ?? 'not told'}, must be ADMIN`, mend);
    return ok(subjects.role, `ADMIN of ${parentBusinessId}`);
  } catch (error) {
    return wrong(subjects.role, `cannot be read: ${told(error)}`, mend);
  }
}
