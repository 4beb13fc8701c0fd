import { endpoint } from './endpoint.ts';
import { row, rows, type Shape, words } from './field-selection.ts';
import { invalidParameter } from './graph-error.ts';
import { bool, id, oneOf, optional, text } from './parameters.ts';
import { page, user } from './shapes.ts';
import type { Page } from './world.ts';

const readUser = endpoint({
  operation: 'read_me',
  method: 'GET',
  on: 'user',
  credentials: ['user'],
  parameters: {},
  handle: ({ node }) => row(user, node),
});

interface ManagedPage {
  page: Page;
  tasks: readonly string[];
}

/** A Page as the person who manages it sees it. */
const managedPage: Shape<ManagedPage> = {
  name: 'Page',
  defaults: ['id', 'name', 'category', 'tasks'],
  empty: page.empty,
  fields: {
    ...Object.fromEntries(
      Object.entries(page.fields).map(([name, read]) => [
        name,
        (managed: ManagedPage, context: Parameters<typeof read>[1]) => read(managed.page, context),
      ]),
    ),
    tasks: ({ tasks }) => tasks,
  },
};

const listAccounts = endpoint({
  operation: 'list_my_pages',
  method: 'GET',
  on: 'user',
  edge: 'accounts',
  isList: true,
  credentials: ['user'],
  scopes: ['pages_show_list'],
  parameters: { ad_id: optional(id), is_place: optional(bool), is_promotable: optional(bool) },
  handle({ node: person, credential, context: { store } }) {
    const managed = [...person.pageTasks]
      .filter(([pageId]) => credential.token.pageIds?.has(pageId) ?? true)
      .map(([pageId, tasks]) => ({ page: store.get('page', pageId), tasks }));
    return rows(managedPage, managed);
  },
});

const permission: Shape<{ permission: string; status: string }> = {
  name: 'Permission',
  defaults: ['permission', 'status'],
  empty: words(''),
  fields: { permission: (granted) => granted.permission, status: (granted) => granted.status },
};

const listPermissions = endpoint({
  operation: 'list_my_permissions',
  method: 'GET',
  on: 'user',
  edge: 'permissions',
  isList: true,
  credentials: ['user'],
  parameters: { permission: optional(text), status: optional(oneOf(['declined', 'expired', 'granted'])) },
  handle({ node: person, params }) {
    const found = [...person.permissions]
      .map(([name, status]) => ({ permission: name, status }))
      .filter((one) => params.permission === undefined || one.permission === params.permission)
      .filter((one) => params.status === undefined || one.status === params.status);
    return rows(permission, found);
  },
});

const removePermissions = endpoint({
  operation: 'remove_my_permissions',
  method: 'DELETE',
  on: 'user',
  edge: 'permissions',
  credentials: ['user'],
  parameters: { permission: optional(text) },
  handle({ node: person, params, context: { tokens } }) {
    const tokensOfPerson = tokens.ofOwner(person.id);
    if (params.permission === undefined) {
      person.permissions.clear();
      for (const token of tokensOfPerson) token.revokedSubcode ??= 458;
      return { success: true };
    }
    const name = params.permission;
    if (person.permissions.get(name) !== 'granted') throw invalidParameter('permission', 'is not granted.');
    person.permissions.set(name, 'declined');
    for (const token of tokensOfPerson) token.scopes.delete(name);
    return { success: true };
  },
});

export const userEndpoints = [readUser, listAccounts, listPermissions, removePermissions];
