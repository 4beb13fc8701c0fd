/**
 * Which call uses which token: one table, and the types that make another token a compile error.
 *
 * From the document's "Token model", as Meta's two-tier sample corrects it: the child business is created with the
 * client's user token but *looked up* with the parent's (a user token gets `(#10) … MANAGE_PERMISSIONS`), and the child
 * system user comes into being when the parent asks for its token. Day-to-day calls belong to the child's system user;
 * on the fallback path the parent's system user stands in, as the separate kind `fallback`.
 */
import { operators as operator } from '../domain/provisioning-path.ts';
import type { CredentialKind } from './access-token.ts';

export const credentialFor = {
  // The app itself
  'read-app': 'app',
  'read-app-subscriptions': 'app',
  'write-app-subscription': 'app',

  // Facebook Login for Business
  'inspect-token': 'app',
  'read-my-pages': 'user',
  'read-my-permissions': 'user',
  'revoke-my-permissions': 'user',
  'share-page-with-agency': 'user',

  // Two-tier Business Manager
  'create-child-business': 'user',
  'find-child-business': 'parent',
  'remove-child-business': 'parent',
  'mint-child-token': 'parent',
  'read-business': ['parent', 'child', 'fallback'],
  'list-system-users': operator,
  'read-extended-credits': ['parent', 'child', 'fallback'],
  'find-credit-allocation': 'parent',
  'share-credit-line': 'parent',
  'revoke-credit-allocation': 'parent',

  // Operating one tenant
  'create-ad-account': operator,
  'find-ad-account': operator,
  'read-ad-account': operator,
  'assign-ad-account-user': operator,
  'set-spend-cap': operator,
  'subscribe-ad-account': operator,
  'read-campaigns': operator,
  'read-ad-object': operator,
  'pause-campaign': operator,
  'create-pixel': operator,
  'read-pixels': operator,
  'assign-pixel-user': operator,
  'share-pixel': operator,
  'read-page': ['user', 'child', 'fallback'],
  'read-promotable-pages': operator,
  'assign-page-user': operator,
  'request-client-page': operator,
  'read-client-pages': operator,
  'remove-page': operator,
  'authorize-instagram': operator,
  'read-instagram': operator,
  'create-catalog': operator,
  'find-catalog': operator,
  'assign-catalog-user': operator,
  'connect-event-sources': operator,
  'send-catalog-items': operator,
  'check-catalog-batch': operator,
  'read-catalog-health': operator,
  'read-product-sets': operator,
  'write-product-set': operator,
  'read-owned-domains': operator,
  'send-events': operator,
  'read-dataset-quality': operator,
  'read-insights': operator,
} as const satisfies Record<string, CredentialKind | readonly CredentialKind[]>;

/** One kind of call, as the table above names it. */
export type GraphOperation = keyof typeof credentialFor;

type Kinds<Rule> = Rule extends CredentialKind
  ? Rule
  : Rule extends readonly (infer Kind extends CredentialKind)[]
    ? Kind
    : never;

/** The kinds of token an operation may be made with; `GraphAs<CredentialFor<…>>` is what endpoint functions take. */
export type CredentialFor<Operation extends GraphOperation> = Kinds<(typeof credentialFor)[Operation]>;
