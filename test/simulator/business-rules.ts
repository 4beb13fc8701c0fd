import { pageTasks } from './access.ts';
import type { SimulatorContext } from './context.ts';
import type { CredentialOf } from './endpoint.ts';
import { GraphError } from './graph-error.ts';
import type { Page } from './world.ts';

/** What Meta refuses when a business is made or renamed; which of these it really enforces are switches. */

/** Letters, digits and the punctuation of ordinary company names; "_" is a switch because Meta does not say. */
const ordinaryName = /^[\p{L}\p{M}\p{N} .,&'’()/+_-]{1,100}$/u;

/** A seven-digit business error: where the number sits is a switch. */
export function businessError(number: number, message: string, { switches }: SimulatorContext): GraphError {
  if (number < 1_000_000 || switches.business_error_placement === 'code') {
    return new GraphError({ code: number, message: `(#${String(number)}) ${message}` });
  }
  return new GraphError({
    code: 100,
    subcode: number,
    message: 'Invalid parameter',
    userTitle: 'Business cannot be created',
    userMessage: message,
  });
}

export function checkName(
  name: string,
  person: CredentialOf<'user'>['person'] | undefined,
  context: SimulatorContext,
): void {
  const { store, switches } = context;
  if (!ordinaryName.test(name)) throw businessError(3974, 'The name you chose is not valid', context);
  if (switches.business_name_rejects_underscore !== 'off' && name.includes('_')) {
    const number = Number(switches.business_name_rejects_underscore);
    throw businessError(number, 'The name contains special characters', context);
  }
  if (switches.business_name_unique && store.all('business').some((other) => other.name === name)) {
    throw businessError(1690062, 'This business name is already in use', context);
  }
  const own = person === undefined ? [] : store.many('business', person.businessIds);
  if (switches.business_name_unique_per_user && own.some((other) => other.name === name)) {
    throw businessError(3947, 'You are already in a business with this name', context);
  }
}

export function checkOwnChildren(person: CredentialOf<'user'>['person'], context: SimulatorContext): void {
  const { switches } = context;
  if (switches.one_child_per_user !== 'off' && person.businessIds.length > 0) {
    throw businessError(
      Number(switches.one_child_per_user),
      'This user already has a client business with this aggregator',
      context,
    );
  }
}

export function checkPage(
  credential: CredentialOf<'user' | 'parent' | 'child'>,
  pageId: string,
  context: SimulatorContext,
): Page {
  const { store, switches } = context;
  const page = store.find('page', pageId);
  if (page === undefined || !pageTasks(credential, page).includes('MANAGE')) {
    throw businessError(1690138, 'You must be an admin of the primary Page', context);
  }
  const isTaken = switches.child_primary_page_unique && store.all('business').some((b) => b.primaryPageId === pageId);
  if (isTaken) throw businessError(1690232, 'Each child business needs its own primary Page', context);
  return page;
}
