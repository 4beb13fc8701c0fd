import { endpoint, type Endpoint } from './endpoint.ts';
import { rows, type Shape, words } from './field-selection.ts';
import { GraphError, invalidParameter } from './graph-error.ts';
import { pageTaskNames } from './meta-enums.ts';
import {
  id,
  idInt,
  listOf,
  oneOf,
  optional,
  type Parameter,
  type ParameterType,
  required,
  undescribed,
} from './parameters.ts';
import type { SystemUser } from './world.ts';

/** Assignments of system users to assets: the same three edges on ad accounts, pixels, catalogs and Pages. */
interface Assigned {
  user: SystemUser;
  tasks: readonly string[];
}

const assignedUser: Shape<Assigned> = {
  name: 'AssignedUser',
  defaults: ['id', 'name', 'tasks'],
  empty: words('business'),
  fields: {
    id: ({ user }) => user.id,
    name: ({ user }) => user.name,
    user_type: () => 'SYSTEM_USER',
    tasks: ({ tasks }) => tasks,
  },
};

interface Asset<K extends 'ad_account' | 'pixel' | 'catalog' | 'page'> {
  readonly on: K;
  readonly tasks: readonly string[];
  readonly tasksRequired: boolean;
  readonly scopes: readonly string[];
  /** Says what is wrong with a combination of tasks, if anything is. */
  readonly refuses: (tasks: ReadonlySet<string>) => boolean;
  /** Pixels have no edge to end an assignment. */
  readonly canUnassign: boolean;
}

/** ANALYZE comes with every stronger task, and MANAGE holds ADVERTISE. */
const skipsLevels = (tasks: ReadonlySet<string>): boolean =>
  tasks.size === 0 ||
  (tasks.has('MANAGE') && !tasks.has('ADVERTISE')) ||
  ((tasks.has('MANAGE') || tasks.has('ADVERTISE') || tasks.has('DRAFT')) && !tasks.has('ANALYZE'));

function assignedUserEdges<K extends 'ad_account' | 'pixel' | 'catalog' | 'page'>(asset: Asset<K>): Endpoint[] {
  const { on, scopes } = asset;
  const common = { on, edge: 'assigned_users', scopes, credentials: ['user', 'parent', 'child'] } as const;
  const tasks: ParameterType<string[]> = listOf(oneOf(asset.tasks));
  // Whether it is required is known at run time only; the handler reads it as if it could be absent.
  const taskParameter: Parameter<string[]> = asset.tasksRequired ? required(tasks) : optional(tasks);
  const unassign = endpoint({
    ...common,
    operation: `unassign_${on}_user`,
    method: 'DELETE',
    parameters: { user: required(idInt) },
    handle({ node, params }) {
      if (!node.assigned.delete(params.user)) throw invalidParameter('user', 'is not assigned.');
      return { success: true };
    },
  });
  return [
    endpoint({
      ...common,
      operation: `list_${on}_users`,
      method: 'GET',
      isList: true,
      parameters: { business: required(id) },
      handle({ node, params, context: { store } }) {
        const assigned = [...node.assigned]
          .map(([userId, held]) => ({ user: store.get('system_user', userId), tasks: held }))
          .filter(({ user }) => user.businessId === params.business);
        return rows(assignedUser, assigned);
      },
    }),
    endpoint({
      ...common,
      operation: `assign_${on}_user`,
      method: 'POST',
      parameters: {
        user: required(idInt),
        tasks: taskParameter as Parameter<string[], false>,
        // Meta's ad account guide passes the business along.
        business: undescribed(id),
      },
      handle({ node, params, credential, context }) {
        const user = context.store.find('system_user', params.user);
        const businessId = credential.kind === 'user' ? (user?.businessId ?? '') : credential.business.id;
        if (user === undefined || user.businessId !== businessId) {
          throw invalidParameter('user', 'is not a user of this business.');
        }
        const wanted = [...new Set(params.tasks ?? [])];
        if (asset.refuses(new Set(wanted))) {
          throw new GraphError({
            code: 100,
            subcode: 1752129,
            message: 'Invalid parameter',
            userTitle: 'Invalid combination of tasks',
            userMessage: `These tasks cannot be held together: ${wanted.join(', ') || 'none'}.`,
          });
        }
        node.assigned.set(user.id, wanted);
        return { success: true };
      },
    }),
    ...(asset.canUnassign ? [unassign] : []),
  ];
}

export const adAccountUserEndpoints = assignedUserEdges({
  on: 'ad_account',
  canUnassign: true,
  tasks: ['AA_ANALYZE', 'ADVERTISE', 'ANALYZE', 'DRAFT', 'MANAGE'],
  tasksRequired: false,
  scopes: ['ads_management', 'business_management'],
  refuses: (tasks) => !(tasks.size === 1 && tasks.has('AA_ANALYZE')) && skipsLevels(tasks),
});

export const pixelUserEndpoints = assignedUserEdges({
  on: 'pixel',
  canUnassign: false,
  tasks: ['AA_ANALYZE', 'ADVERTISE', 'ANALYZE', 'EDIT', 'UPLOAD'],
  tasksRequired: true,
  scopes: ['ads_management', 'business_management'],
  refuses: (tasks) => tasks.size === 0,
});

export const catalogUserEndpoints = assignedUserEdges({
  on: 'catalog',
  canUnassign: true,
  tasks: ['AA_ANALYZE', 'ADVERTISE', 'MANAGE', 'MANAGE_AR'],
  tasksRequired: true,
  scopes: ['catalog_management', 'business_management'],
  refuses: (tasks) => tasks.size === 0,
});

export const pageUserEndpoints = assignedUserEdges({
  on: 'page',
  canUnassign: true,
  tasks: pageTaskNames,
  tasksRequired: false,
  scopes: ['pages_manage_ads', 'business_management'],
  refuses: () => false,
});
