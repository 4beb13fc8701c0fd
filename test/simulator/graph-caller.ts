import { appSecretProof } from './tokens.ts';
import { seed } from './seed.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from './server.ts';

/** A plain HTTP caller for the simulator's own tests: forms, Bearer token and proof, nothing clever. */
export interface GraphReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface GraphErrorBody {
  readonly message: string;
  readonly type: string;
  readonly code: number;
  readonly error_subcode?: number;
  readonly error_user_msg?: string;
  readonly is_transient: boolean;
  readonly fbtrace_id: string;
}

type Params = Readonly<Record<string, unknown>>;

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

export class GraphCaller {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async call(method: string, path: string, token: string | undefined, params: Params = {}): Promise<GraphReply> {
    const fields = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) if (value !== undefined) fields.set(name, asText(value));
    if (token !== undefined && !token.includes('|') && !fields.has('appsecret_proof')) {
      fields.set('appsecret_proof', appSecretProof(token, seed.appSecret));
    }
    const versioned = /^\/v\d|^\/_sim/.test(path) ? path : `/v25.0${path}`;
    const hasBody = method === 'POST';
    const response = await fetch(`${this.url}${versioned}${hasBody ? '' : `?${fields.toString()}`}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(hasBody ? { body: fields } : {}),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> };
  }

  get = (path: string, token: string | undefined, params?: Params): Promise<GraphReply> =>
    this.call('GET', path, token, params);
  post = (path: string, token: string | undefined, params?: Params): Promise<GraphReply> =>
    this.call('POST', path, token, params);
  delete = (path: string, token: string | undefined, params?: Params): Promise<GraphReply> =>
    this.call('DELETE', path, token, params);

  /** The error of a call that must have been refused. */
  async refused(reply: Promise<GraphReply>): Promise<GraphErrorBody & { status: number }> {
    const { status, body } = await reply;
    if (body['error'] === undefined) throw new Error(`expected a refusal, got ${JSON.stringify(body)}`);
    return { status, ...(body['error'] as GraphErrorBody) };
  }

  /** The body of a call that must have succeeded. */
  async done<T = Record<string, unknown>>(reply: Promise<GraphReply>): Promise<T> {
    const { body } = await reply;
    if (body['error'] !== undefined) throw new Error(`expected success, got ${JSON.stringify(body)}`);
    return body as T;
  }

  async control<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/_sim${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as T;
  }

  /** Opens the login dialog in direct mode and returns where it sends the person. */
  async dialog(params: Readonly<Record<string, string>> = {}): Promise<{ status: number; location: URL }> {
    const query = new URLSearchParams({
      client_id: seed.appId,
      redirect_uri: redirectUri,
      state: 'state-1',
      config_id: seed.loginConfigId,
      response_type: 'code',
      sim_mode: 'direct',
      ...params,
    });
    const response = await fetch(`${this.url}/v25.0/dialog/oauth?${query.toString()}`, { redirect: 'manual' });
    await response.text();
    return { status: response.status, location: new URL(response.headers.get('location') ?? 'none:') };
  }

  /** Logs a person in and returns the short-lived user token. */
  async logIn(params: Readonly<Record<string, string>> = {}): Promise<string> {
    const { location } = await this.dialog(params);
    const { access_token: token } = await this.done<{ access_token: string }>(
      this.get('/oauth/access_token', undefined, {
        client_id: seed.appId,
        client_secret: seed.appSecret,
        redirect_uri: redirectUri,
        code: location.searchParams.get('code'),
      }),
    );
    return token;
  }

  /** A child business with its system-user token. */
  async newChild(user: string, params: Params = {}): Promise<{ id: string; token: string; systemUserId: string }> {
    const { id } = await this.done<{ id: string }>(
      this.post(`/${seed.parentBusinessId}/owned_businesses`, user, { ...childParams, ...params }),
    );
    const { access_token: token } = await this.done<{ access_token: string }>(
      this.post(`/${id}/access_token`, seed.parentSystemUserToken, { app_id: seed.appId, scope: childScopes }),
    );
    const { data } = await this.done<{ data: { id: string }[] }>(this.get(`/${id}/system_users`, token));
    return { id, token, systemUserId: String(data[0]?.id) };
  }

  /** An ad account of a child, assigned to its system user. */
  async newAdAccount(child: { id: string; token: string; systemUserId: string }, params: Params = {}): Promise<string> {
    const { id } = await this.done<{ id: string }>(
      this.post(`/${child.id}/adaccount`, child.token, { ...adAccountParams, ...params }),
    );
    await this.done(
      this.post(`/${id}/assigned_users`, child.token, {
        user: child.systemUserId,
        tasks: ['MANAGE', 'ADVERTISE', 'ANALYZE'],
      }),
    );
    return id;
  }

  /** A pixel of an ad account that the child's system user may send to. */
  async newPixel(child: { token: string; systemUserId: string }, adAccountId: string): Promise<string> {
    const { id } = await this.done<{ id: string }>(this.post(`/${adAccountId}/adspixels`, child.token, { name: 'p' }));
    await this.done(
      this.post(`/${id}/assigned_users`, child.token, { user: child.systemUserId, tasks: ['EDIT', 'ANALYZE'] }),
    );
    return id;
  }
}

export const redirectUri = 'http://127.0.0.1:1/callback';
export const childScopes =
  'ads_management,ads_read,business_management,catalog_management,pages_show_list,pages_read_engagement,pages_manage_ads,instagram_basic';
export const childParams = {
  name: 'Acme',
  vertical: 'ECOMMERCE',
  timezone_id: '135',
  shared_page_id: seed.page.id,
  page_permitted_tasks: ['ADVERTISE', 'ANALYZE'],
  child_business_external_id: 'kobi_acme_meta',
};
export const adAccountParams = {
  name: 'kobi_acme_meta',
  currency: 'TRY',
  timezone_id: 135,
  end_advertiser: 'NONE',
  media_agency: 'NONE',
  partner: 'NONE',
};

/** A simulator whose clock stands still at a known time, and a caller for it. */
export async function startForTest(
  options: SimulatorOptions = {},
): Promise<{ simulator: Simulator; graph: GraphCaller }> {
  const simulator = await startSimulator({ now: () => fixedNow, ...options });
  return { simulator, graph: new GraphCaller(simulator.url) };
}

export const fixedNow = new Date('2026-11-23T12:00:00Z');
