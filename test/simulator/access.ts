import type { SimulatorContext } from './context.ts';
import type { Credential, Endpoint } from './endpoint.ts';
import { permissionDenied, unknownObject } from './graph-error.ts';
import type { GraphNode, Page } from './world.ts';

/** The tasks a caller has on a Page: a person's own, within the Pages they chose; a business's as shared with it. */
export function pageTasks(credential: Credential, page: Page): readonly string[] {
  if (credential.kind === 'user') {
    const isChosen = credential.token.pageIds?.has(page.id) ?? true;
    return isChosen ? (credential.person.pageTasks.get(page.id) ?? []) : [];
  }
  if (credential.kind === 'parent' || credential.kind === 'child') {
    const { business, systemUser } = credential;
    if (page.ownerBusinessId === business.id) return ['MANAGE', 'ADVERTISE', 'ANALYZE'];
    return page.assigned.get(systemUser.id) ?? page.agencies.get(business.id) ?? [];
  }
  return [];
}

function ownsBusiness(credential: Credential, businessId: string, context: SimulatorContext): boolean {
  if (credential.kind === 'parent' || credential.kind === 'child') return credential.business.id === businessId;
  return (
    credential.kind === 'user' && context.store.find('business', businessId)?.clientUserId === credential.person.id
  );
}

/** Whether the object exists as far as this caller is concerned; if not, Graph answers 100 with subcode 33. */
export function canSee(credential: Credential, node: GraphNode, context: SimulatorContext): boolean {
  // Every token is the app's; what may be done with it is the edge's decision.
  if (node.kind === 'application') return true;
  if (credential.kind === 'none' || credential.kind === 'app') return false;
  switch (node.kind) {
    case 'user':
      return credential.kind === 'user' && credential.person.id === node.id;
    case 'business':
      // The app's own business is known to every token of the app; what may be done there is the edge's decision.
      if (node.id === context.store.seed.parentBusinessId) return true;
      if (credential.kind === 'parent' && node.parentId === credential.business.id) return true;
      return ownsBusiness(credential, node.id, context);
    case 'system_user':
      return credential.kind !== 'user' && credential.business.id === node.businessId;
    case 'extended_credit':
      return ownsBusiness(credential, node.ownerBusinessId, context) && creditIsVisible(node.id, context);
    case 'credit_allocation':
      return ownsBusiness(credential, context.store.get('extended_credit', node.creditId).ownerBusinessId, context);
    case 'ad_account':
    case 'catalog':
    case 'product_set':
    case 'domain':
    case 'campaign':
    case 'report_run':
      return ownsBusiness(credential, node.businessId, context);
    case 'pixel':
      if (ownsBusiness(credential, node.businessId, context)) return true;
      return credential.kind !== 'user' && node.agencies.has(credential.business.id);
    case 'page':
      return pageTasks(credential, node).length > 0;
    case 'instagram':
      return pageTasks(credential, context.store.get('page', node.pageId)).length > 0;
  }
}

function creditIsVisible(creditId: string, context: SimulatorContext): boolean {
  return creditId !== context.store.seed.extendedCreditId || context.switches.credit_line_available;
}

/** Whether a system user may act on an asset: its assignment holds one of the tasks. People act on what they own. */
export function hasTask(
  credential: Credential,
  asset: { readonly assigned: ReadonlyMap<string, readonly string[]> },
  tasks: readonly string[],
): boolean {
  if (credential.kind === 'user') return true;
  if (credential.kind !== 'parent' && credential.kind !== 'child') return false;
  const held = asset.assigned.get(credential.systemUser.id) ?? [];
  return tasks.some((task) => held.includes(task));
}

/** Applies an edge's declared rules: kind of credential, permission, whose business, assignment. Throws Graph's error. */
export function authorize(
  definition: Endpoint,
  credential: Credential,
  node: GraphNode | undefined,
  shownId: string,
  context: SimulatorContext,
): void {
  if (node !== undefined && !canSee(credential, node, context)) {
    throw unknownObject(shownId, definition.method, `a ${credential.kind} token cannot see this ${node.kind}`);
  }
  if (!definition.credentials.includes(credential.kind)) {
    throw (
      definition.refusal?.() ??
      permissionDenied(200, `Permissions error: ${definition.operation} is not open to a ${credential.kind} token`)
    );
  }
  requireScope(definition, credential);
  if (node?.kind === 'business' && (credential.kind === 'parent' || credential.kind === 'child')) {
    const isOwn = node.id === credential.business.id;
    const isChild = node.parentId === credential.business.id;
    if ((definition.business === 'own' && !isOwn) || (definition.business === 'child' && !isChild)) {
      throw permissionDenied(200, 'Requires business management permission on this business');
    }
  }
  if (definition.tasks !== undefined && node !== undefined && 'assigned' in node) {
    const isExempt = node.kind === 'catalog' && !context.switches.catalog_assignment_required;
    if (!isExempt && !hasTask(credential, node, definition.tasks)) throw unassigned(definition, node, shownId, context);
  }
}

function requireScope({ scopes, scopeCode }: Endpoint, credential: Credential): void {
  if (scopes === undefined || credential.kind === 'none' || credential.kind === 'app') return;
  if (scopes.some((scope) => credential.token.scopes.has(scope))) return;
  throw permissionDenied(scopeCode ?? 200, `Requires ${scopes.join(' or ')} permission to manage the object`);
}

function unassigned(definition: Endpoint, node: GraphNode, shownId: string, context: SimulatorContext): Error {
  if (node.kind === 'pixel' && context.switches.pixel_unassigned_error === 'permission') {
    return permissionDenied(200, 'The system user has no permission on this pixel');
  }
  return unknownObject(shownId, definition.method, `the system user is not assigned to this ${node.kind}`);
}
