import type { SimulatorContext } from './context.ts';
import type { Endpoint, Method } from './endpoint.ts';
import { endpointFor } from './endpoints.ts';
import { GraphError } from './graph-error.ts';
import type { GraphNode } from './world.ts';

/** Where a path leads, found without looking at the token. */
export interface Route {
  readonly method: Method;
  readonly version: string;
  /** Path without the version. */
  readonly path: string;
  /** The id or alias as written. */
  readonly shownId: string;
  readonly edge: string | undefined;
  /** `/{business}/adaccount`; unknown ids read `{unknown}`. */
  readonly template: string;
  readonly node: GraphNode | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly isMe: boolean;
  /** Set when the path itself is refused. */
  readonly refusal: GraphError | undefined;
}

const servedVersions = new Set(['v25.0', 'v26.0']);
/** Marketing API versions up to v24.0 have expired (v24.0 on 2026-10-06). */
const newestExpired = 24;

function refusalOf(method: string, version: string, path: string, isRoot: boolean): GraphError | undefined {
  if (method !== 'GET' && method !== 'POST' && method !== 'DELETE') {
    return new GraphError({ code: 100, message: `(#100) Unsupported method ${method}` });
  }
  if (version === '') {
    if (isRoot) return undefined;
    return new GraphError({
      code: 2500,
      message: 'The simulator takes unversioned paths for /oauth and /debug_token only; name a version.',
    });
  }
  if (servedVersions.has(version)) return undefined;
  const major = Number(/^v(\d+)\.\d+$/.exec(version)?.[1]);
  if (major <= newestExpired) {
    return new GraphError({
      code: 2635,
      message:
        '(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: v26.0.',
    });
  }
  return new GraphError({ code: 2500, message: `Unknown path components: /${version}${path}` });
}

export function routeOf(method: string, pathname: string, context: SimulatorContext): Route {
  const segments = pathname.split('/').filter((segment) => segment !== '');
  const version = /^v\d+\.\d+$/.test(segments[0] ?? '') ? String(segments.shift()) : '';
  const path = `/${segments.join('/')}`;
  const known = method as Method;
  const root = endpointFor(known, 'root', segments.join('/'));
  const isRoot = root !== undefined || /^\/(oauth\/|debug_token$)/.test(path);
  const [shownId = '', edge] = segments;
  const common = { method: known, version, path, shownId, edge };
  const refusal = refusalOf(method, version, path, isRoot);
  if (root !== undefined) {
    return { ...common, template: path, node: undefined, endpoint: root, isMe: false, refusal };
  }
  if (segments.length === 0 || segments.length > 2) {
    return {
      ...common,
      template: path,
      node: undefined,
      endpoint: undefined,
      isMe: false,
      refusal: refusal ?? new GraphError({ code: 2500, message: `Unknown path components: ${path}` }),
    };
  }
  const isMe = shownId === 'me';
  const node = isMe ? undefined : context.store.nodes.get(shownId);
  const tail = edge === undefined ? '' : `/${edge}`;
  return {
    ...common,
    template: isMe ? path : `/{${node?.kind ?? 'unknown'}}${tail}`,
    node,
    // A person and a system user share few edges; which of them "me" is, only the token tells.
    endpoint: isMe
      ? (endpointFor(known, 'user', edge) ?? endpointFor(known, 'system_user', edge))
      : node && endpointFor(known, node.kind, edge),
    isMe,
    refusal,
  };
}
