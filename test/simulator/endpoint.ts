import type { SimulatorContext } from './context.ts';
import type { Row, Rows } from './field-selection.ts';
import type { GraphError } from './graph-error.ts';
import type { ParameterTable, Parsed } from './parameters.ts';
import type { TokenRecord } from './tokens.ts';
import type { Business, NodeKind, Nodes, Person, SystemUser } from './world.ts';

export type Method = 'GET' | 'POST' | 'DELETE';

/** Who calls. `parent` and `child` are system users of the parent or of a child business. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'app'; readonly appId: string }
  | { readonly kind: 'user'; readonly token: TokenRecord; readonly person: Person }
  | ({ readonly kind: 'parent' } & SystemUserCredential)
  | ({ readonly kind: 'child' } & SystemUserCredential);

interface SystemUserCredential {
  readonly token: TokenRecord;
  readonly systemUser: SystemUser;
  readonly business: Business;
}

export type CredentialKind = Credential['kind'];
export type CredentialOf<C extends CredentialKind> = Extract<Credential, { kind: C }>;

export interface Call<K extends NodeKind | 'root', P extends ParameterTable, C extends CredentialKind> {
  readonly context: SimulatorContext;
  readonly credential: CredentialOf<C>;
  readonly node: K extends NodeKind ? Nodes[K] : undefined;
  readonly params: Parsed<P>;
  readonly nowMs: number;
  /** The token of a root call (`/debug_token`, `/oauth/…`), which that call judges by itself. */
  readonly rawToken: string | undefined;
}

export type Answer = Row | Rows | Record<string, unknown>;

/** One edge as data: what it accepts, who may call it on what, and what it does. */
export interface EndpointDefinition<
  K extends NodeKind | 'root',
  P extends ParameterTable,
  C extends CredentialKind = CredentialKind,
> {
  /** Name for faults and the log. */
  readonly operation: string;
  readonly method: Method;
  readonly on: K;
  /** Edge under the node; absent for the node itself. */
  readonly edge?: string;
  readonly parameters: P;
  /** List edges also take limit, after, before and summary. */
  readonly isList?: true;
  readonly credentials: readonly C[];
  /** The error for a credential of another kind; 200 unless Meta is known to say otherwise. */
  readonly refusal?: () => GraphError;
  /** Any one of these permissions on the token is enough. */
  readonly scopes?: readonly string[];
  /** The code a missing permission is answered with. */
  readonly scopeCode?: 10 | 200;
  /** On a business: only the caller's own, or only a child of the caller's. */
  readonly business?: 'own' | 'child';
  /** On an asset: a system user must be assigned to it with one of these tasks. */
  readonly tasks?: readonly string[];
  /** What Meta asks of the app's own server before it does what it was asked; throws Graph's error. */
  askTheApp?(call: Call<K, P, C>): Promise<void>;
  handle(call: Call<K, P, C>): Answer;
}

export interface Endpoint extends EndpointDefinition<NodeKind | 'root', ParameterTable> {}

/** Declares an edge; the handler sees parameters, node and credential with their exact types. */
export function endpoint<
  const K extends NodeKind | 'root',
  const P extends ParameterTable,
  const C extends CredentialKind,
>(definition: EndpointDefinition<K, P, C>): Endpoint {
  // The dispatcher hands each handler exactly the node, parameters and credential its own definition declares.
  return definition;
}
