import type { SimulatorContext } from './context.ts';
import { isHttpUrl } from './parameters.ts';
import { dialogErrorPage, dialogPage } from './login-page.ts';
import { appPermissions } from './seed.ts';
import type { Person } from './world.ts';

/** What the dialog answers: a page, or a redirect back to the app. */
export type DialogAnswer = { status: 200 | 400; html: string } | { status: 302; location: string };

export interface LoginRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scopes: readonly string[];
}

/** What the person decided. */
interface Decision {
  person: Person;
  pageIds: string[];
  denied: ReadonlySet<string>;
  isCancelled: boolean;
}

const known = new Set([
  'client_id',
  'redirect_uri',
  'state',
  'config_id',
  'scope',
  'response_type',
  'auth_type',
  'display',
  'override_default_response_type',
  'sim_user',
  'sim_mode',
  'sim_pages',
  'sim_deny_scopes',
  'sim_cancel',
  'sim_page',
  'sim_scope',
]);

/** A mistake of the app, shown on Meta's own page: never a redirect, which could go to a stranger. */
class DialogRefusal extends Error {}

function readRequest(fields: URLSearchParams, { store }: SimulatorContext): LoginRequest {
  const unknown = [...new Set(fields.keys())].filter((name) => !known.has(name));
  if (unknown.length > 0) throw new DialogRefusal(`Unknown parameter: ${unknown.join(', ')}.`);
  const clientId = fields.get('client_id');
  if (clientId !== store.seed.appId) throw new DialogRefusal('Invalid App ID: client_id is not an app of this world.');
  const redirectUri = fields.get('redirect_uri') ?? '';
  if (!isHttpUrl(redirectUri)) throw new DialogRefusal('Invalid redirect_uri: it must be an absolute http(s) address.');
  if (fields.get('response_type') !== 'code') throw new DialogRefusal('response_type must be "code".');
  return {
    clientId,
    redirectUri,
    state: fields.get('state') ?? undefined,
    scopes: scopesOf(fields, store.seed.loginConfigId),
  };
}

function scopesOf(fields: URLSearchParams, loginConfigId: string): readonly string[] {
  const configId = fields.get('config_id');
  const scope = fields.get('scope');
  if (configId !== null) {
    if (configId !== loginConfigId) throw new DialogRefusal('config_id is not a login configuration of this app.');
    return appPermissions;
  }
  if (scope === null) throw new DialogRefusal('Either config_id or scope is required.');
  const asked = scope.split(/[\s,]+/).filter((name) => name !== '' && name !== 'public_profile' && name !== 'email');
  const invalid = asked.filter((name) => !(appPermissions as readonly string[]).includes(name));
  if (invalid.length > 0) throw new DialogRefusal(`Invalid Scopes: ${invalid.join(', ')}.`);
  return asked;
}

const listed = (fields: URLSearchParams, name: string): string[] =>
  (fields.get(name) ?? '').split(',').filter((entry) => entry !== '');

/**
 * `GET /{version}/dialog/oauth`. A person gets a page; `sim_mode=direct` decides at once: `sim_user`, `sim_pages`
 * (default all), `sim_deny_scopes`, `sim_cancel=1`.
 */
export function openDialog(url: URL, context: SimulatorContext): DialogAnswer {
  const fields = url.searchParams;
  return refusalsAsPage(() => {
    const request = readRequest(fields, context);
    const person = findPerson(fields.get('sim_user'), context);
    if (fields.get('sim_mode') !== 'direct') {
      return { status: 200, html: dialogPage(request, url, person, context) };
    }
    return conclude(
      request,
      {
        person,
        pageIds: fields.has('sim_pages') ? listed(fields, 'sim_pages') : [...person.pageTasks.keys()],
        denied: new Set(listed(fields, 'sim_deny_scopes')),
        isCancelled: fields.get('sim_cancel') === '1',
      },
      context,
    );
  });
}

/** The page's form, sent by *Continue* or *Cancel*. */
export function submitDialog(url: URL, body: string, context: SimulatorContext): DialogAnswer {
  const form = new URLSearchParams(body);
  return refusalsAsPage(() => {
    const request = readRequest(url.searchParams, context);
    const granted = new Set(form.getAll('sim_scope'));
    return conclude(
      request,
      {
        person: findPerson(form.get('sim_user'), context),
        pageIds: form.getAll('sim_page'),
        denied: new Set(request.scopes.filter((scope) => !granted.has(scope))),
        isCancelled: form.get('sim_cancel') === '1',
      },
      context,
    );
  });
}

function refusalsAsPage(answer: () => DialogAnswer): DialogAnswer {
  try {
    return answer();
  } catch (error) {
    if (error instanceof DialogRefusal) return { status: 400, html: dialogErrorPage(error.message) };
    throw error;
  }
}

function findPerson(userId: string | null, { store }: SimulatorContext): Person {
  const person = store.find('user', userId ?? store.seed.user.id);
  if (person === undefined) throw new DialogRefusal(`sim_user ${String(userId)} does not exist.`);
  return person;
}

function conclude(request: LoginRequest, decision: Decision, context: SimulatorContext): DialogAnswer {
  const back = new URL(request.redirectUri);
  if (request.state !== undefined) back.searchParams.set('state', request.state);
  const { person, pageIds, denied } = decision;
  const isPartial = request.scopes.some((scope) => denied.has(scope));
  if (decision.isCancelled || (isPartial && context.switches.login_all_or_none)) {
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_code', '200');
    back.searchParams.set('error_reason', 'user_denied');
    back.searchParams.set('error_description', 'Permissions error');
    return { status: 302, location: back.href };
  }
  const foreign = pageIds.filter((pageId) => !person.pageTasks.has(pageId));
  if (foreign.length > 0) throw new DialogRefusal(`${foreign.join(', ')} is not a Page of this person.`);
  for (const scope of request.scopes) person.permissions.set(scope, denied.has(scope) ? 'declined' : 'granted');
  person.permissions.set('public_profile', 'granted');
  const code = context.tokens.issueCode({
    clientId: request.clientId,
    redirectUri: request.redirectUri,
    userId: person.id,
    scopes: ['public_profile', ...request.scopes.filter((scope) => !denied.has(scope))],
    pageIds,
  });
  back.searchParams.set('code', code);
  return { status: 302, location: back.href };
}
