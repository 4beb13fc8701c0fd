import type { SimulatorContext } from './context.ts';
import type { EventQuality } from './event-quality.ts';
import { InvalidFault } from './faults.ts';
import { shareWith } from './pages.ts';
import { minorDigitsOf } from './meta-enums.ts';
import type { NewPerson } from './store.ts';
import { applySwitches, switchDefinitions, UnknownSwitch } from './switches.ts';
import type { AccountPlan } from './insights/truth.ts';
import type { Person } from './world.ts';
import { jsonReplacer, worldReport } from './world-report.ts';

/** The control API: what Meta cannot be asked, and what only the world outside can do. It needs no token. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: string;
}

type Body = Readonly<Record<string, unknown>>;
type Handler = (query: URLSearchParams, body: Body, context: SimulatorContext) => unknown;

class BadControlCall extends Error {}

function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new BadControlCall(`"${name}" must be a non-empty string`);
  return value;
}

function countOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^\d{1,12}$/.test(value)) throw new BadControlCall(`"${name}" must be a whole number, not "${value}"`);
  return Number(value);
}

/** `?limit=` keeps the newest, `?after=` a sequence number, `?operation=`, `?edge=`, `?method=` filter. */
function readLog(query: URLSearchParams, { log }: SimulatorContext): unknown {
  const after = countOf(query, 'after') ?? 0;
  const limit = countOf(query, 'limit');
  const entries = log.entries().filter((entry) => {
    if (entry.seq <= after) return false;
    return (['operation', 'edge', 'method'] as const).every((key) => !query.has(key) || query.get(key) === entry[key]);
  });
  return { total: log.total, entries: limit === undefined ? entries : limit === 0 ? [] : entries.slice(-limit) };
}

function readEvents(query: URLSearchParams, { events }: SimulatorContext): unknown {
  const dataset = query.get('dataset');
  if (dataset === null) throw new BadControlCall('"dataset" is required');
  const after = countOf(query, 'after') ?? 0;
  const limit = countOf(query, 'limit');
  const retained = events.retained(dataset);
  return {
    dataset,
    ...events.summary(dataset),
    events: retained.slice(after, limit === undefined ? undefined : after + limit),
  };
}

function describePerson(person: Person, { store }: SimulatorContext): unknown {
  return {
    id: person.id,
    name: person.name,
    pages: store.many('page', person.pageTasks.keys()).map(({ id, name, website, instagramId }) => {
      const instagram = store.find('instagram', instagramId);
      return { id, name, website, instagram: instagram && { id: instagram.id, username: instagram.username } };
    }),
  };
}

function addUsers(body: Body, context: SimulatorContext): unknown {
  const { count = 1, ...person } = body as { count?: unknown } & NewPerson;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > 100_000) {
    throw new BadControlCall('"count" must be between 1 and 100000');
  }
  const added = Array.from({ length: count }, () => context.store.addPerson(person, context.clock.nowMs()));
  return { users: added.map((one) => describePerson(one, context)) };
}

function moveClock(body: Body, { clock }: SimulatorContext): unknown {
  const { now, advanceMs } = body;
  if ((now === undefined) === (advanceMs === undefined)) throw new BadControlCall('give either "now" or "advanceMs"');
  if (now !== undefined) {
    const ms = typeof now === 'number' ? now : Date.parse(textOf(body, 'now'));
    if (!Number.isFinite(ms)) throw new BadControlCall('"now" must be an ISO time or Unix milliseconds');
    clock.set(ms);
  } else {
    if (typeof advanceMs !== 'number' || !Number.isFinite(advanceMs)) {
      throw new BadControlCall('"advanceMs" must be a number');
    }
    clock.advance(advanceMs);
  }
  return { now: new Date(clock.nowMs()).toISOString() };
}

/** Ends tokens by owner or by business; `subcode` is the one their next use is answered with (467 if not said). */
function revokeTokens(body: Body, { tokens, store }: SimulatorContext): unknown {
  const { tokenKind, ownerId, businessId, subcode = 467 } = body;
  if (typeof subcode !== 'number') throw new BadControlCall('"subcode" must be a number');
  if (ownerId === undefined && businessId === undefined) throw new BadControlCall('give "ownerId" or "businessId"');
  const wanted = Array.from(tokens.all()).filter((token) => {
    const kind = token.kind === 'user' ? 'user' : token.businessId === store.seed.parentBusinessId ? 'parent' : 'child';
    return (
      tokens.isAlive(token) &&
      (tokenKind === undefined || tokenKind === kind) &&
      (ownerId === undefined || token.ownerId === ownerId) &&
      (businessId === undefined || token.businessId === businessId)
    );
  });
  for (const token of wanted) token.revokedSubcode = subcode;
  return { revoked: wanted.length };
}

/** Time has passed and ads have run: what the account has spent, in minor units. */
function setSpent(body: Body, { store }: SimulatorContext): unknown {
  const account = store.find('ad_account', textOf(body, 'adAccountId'));
  if (account === undefined) throw new BadControlCall('"adAccountId" is not an ad account');
  const { amountSpentMinor } = body;
  if (typeof amountSpentMinor !== 'number' || !Number.isInteger(amountSpentMinor) || amountSpentMinor < 0) {
    throw new BadControlCall('"amountSpentMinor" must be a whole number, zero or more');
  }
  account.amountSpentMinor = BigInt(amountSpentMinor);
  return { success: true };
}

/** The person links an Instagram account to the Page in Meta's interface. */
function linkInstagram(body: Body, { store, clock }: SimulatorContext): unknown {
  const page = store.find('page', textOf(body, 'pageId'));
  if (page === undefined) throw new BadControlCall('"pageId" is not a Page');
  return { id: store.linkInstagram(page, textOf(body, 'username'), clock.nowMs()).id };
}

function addDomain(body: Body, { store, clock }: SimulatorContext): unknown {
  const business = store.find('business', textOf(body, 'businessId'));
  if (business === undefined) throw new BadControlCall('"businessId" is not a business');
  return store.addDomain(business, textOf(body, 'domain'), clock.nowMs());
}

/** The Page's admin answers a business's request for the Page in Meta's interface. */
function answerPageRequest(body: Body, { store }: SimulatorContext): unknown {
  const business = store.find('business', textOf(body, 'businessId'));
  const page = store.find('page', textOf(body, 'pageId'));
  const request = page && business?.pendingPages.get(page.id);
  if (business === undefined || page === undefined || request === undefined) {
    throw new BadControlCall('no such request is pending');
  }
  const isAccepted = textOf(body, 'decision') === 'accept';
  if (isAccepted) shareWith(page, business, request.tasks);
  else business.pendingPages.delete(page.id);
  return { accepted: isAccepted };
}

/** Plants what Dataset Quality says of a dataset from now on, whatever its events; without `web`, its events decide again. */
function plantQuality(body: Body, { quality, store }: SimulatorContext): unknown {
  const dataset = store.find('pixel', textOf(body, 'dataset'));
  if (dataset === undefined) throw new BadControlCall('"dataset" is not a dataset');
  const { web } = body;
  if (web === undefined) return { planted: false, was: quality.delete(dataset.id) };
  if (!Array.isArray(web)) throw new BadControlCall('"web" must be a list');
  quality.set(
    dataset.id,
    web.map((entry: Partial<EventQuality>) => ({
      eventName: textOf(entry, 'eventName'),
      compositeScore: entry.compositeScore,
      coverage: entry.coverage ?? [],
      withEventIdPercentage: entry.withEventIdPercentage ?? 100,
      uploadFrequency: entry.uploadFrequency ?? 'real_time',
    })),
  );
  return { planted: true };
}

/** What Meta finds wrong with a catalog, or does with its batches, beyond what follows from its items. */
function planCatalog(body: Body, { store }: SimulatorContext): unknown {
  const { catalogId, rejections, ...changes } = body;
  const found = store.find('catalog', typeof catalogId === 'string' ? catalogId : undefined);
  if (found === undefined) throw new BadControlCall('"catalogId" is not a catalog');
  const known = Object.keys(found.plans);
  const unknown = Object.keys(changes).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new BadControlCall(`unknown ${unknown.join(', ')}; known: ${known.join(', ')}`);
  Object.assign(found.plans, changes);
  if (rejections !== undefined) {
    found.plans.rejections = new Map(
      Object.entries(rejections as Record<string, unknown>).map(([id, why]) => [id, String(why)]),
    );
  }
  return found.plans;
}

/** Gives an ad account two months of delivery; returns the plan that all its numbers follow from. */
function plantInsights(body: Body, { insights, store, clock }: SimulatorContext): unknown {
  const accountId = textOf(body, 'adAccountId').replace(/^act_/, '');
  const account = store.find('ad_account', `act_${accountId}`);
  if (account === undefined) throw new BadControlCall('"adAccountId" is not an ad account');
  const names = body['campaignNames'] ?? ['Yeni sezon · Keşif', 'Sepeti terk edenler'];
  if (!Array.isArray(names) || names.length === 0) throw new BadControlCall('"campaignNames" must be a list of names');
  const plan: AccountPlan = {
    seed: 'demo',
    since: new Date(clock.nowMs() - 60 * 86_400_000).toISOString().slice(0, 10),
    campaigns: names.length,
    campaignNames: names.map(String),
    adsPerCampaign: 3,
    cells: 8,
    timeZone: textOf(body, 'timeZone'),
    minorDigits: minorDigitsOf(account.currency) === 0 ? 0 : 2,
  };
  insights.plant(accountId, plan);
  return { plan };
}

const handlers: Readonly<Record<string, Handler>> = {
  'GET /_sim/log': (query, _body, context) => readLog(query, context),
  'GET /_sim/state': (_query, _body, context) => worldReport(context),
  'GET /_sim/events': (query, _body, context) => readEvents(query, context),
  'GET /_sim/faults': (_query, _body, { faults }) => ({ faults: faults.list() }),
  'POST /_sim/faults': (_query, body, { faults }) => faults.plant(body),
  'DELETE /_sim/faults': (_query, _body, { faults }) => {
    faults.clear();
    return { faults: [] };
  },
  'GET /_sim/switches': (_query, _body, { switches }) =>
    Object.fromEntries(
      Object.entries(switchDefinitions).map(([name, definition]) => [
        name,
        { value: switches[name as keyof typeof switches], ...definition },
      ]),
    ),
  'POST /_sim/switches': (_query, body, { switches }) => {
    applySwitches(switches, body);
    return switches;
  },
  'POST /_sim/clock': (_query, body, context) => moveClock(body, context),
  'GET /_sim/clock': (_query, _body, { clock }) => ({ now: new Date(clock.nowMs()).toISOString() }),
  'POST /_sim/users': (_query, body, context) => addUsers(body, context),
  'GET /_sim/dns': (query, _body, { store }) => ({ txt: [...(store.dns.get(query.get('domain') ?? '') ?? [])] }),
  'POST /_sim/dns': (_query, body, { store, switches }) => {
    const domain = textOf(body, 'domain');
    store.publishTxt(domain, textOf(body, 'txt'));
    if (switches.domain_verifies_itself) store.lookForTxt(domain);
    return { success: true };
  },
  'POST /_sim/domains/verify': (_query, body, { store }) => {
    store.lookForTxt(textOf(body, 'domain'));
    return { success: true };
  },
  'POST /_sim/catalogs': (_query, body, context) => planCatalog(body, context),
  'POST /_sim/domains': (_query, body, context) => addDomain(body, context),
  'POST /_sim/spent': (_query, body, context) => setSpent(body, context),
  'POST /_sim/instagram': (_query, body, context) => linkInstagram(body, context),
  'POST /_sim/client-pages': (_query, body, context) => answerPageRequest(body, context),
  'POST /_sim/quality': (_query, body, context) => plantQuality(body, context),
  'POST /_sim/insights': (_query, body, context) => plantInsights(body, context),
  'POST /_sim/tokens/revoke': (_query, body, context) => revokeTokens(body, context),
};

/** Answers `/_sim/…`; a mistake in the call is 400 with what was wrong, an unknown path 404 with what there is. */
export function answerControl(
  method: string,
  url: URL,
  body: string,
  context: SimulatorContext,
  reset: () => void,
): ControlAnswer {
  const answer = (status: number, value: unknown): ControlAnswer => ({
    status,
    body: `${JSON.stringify(value, jsonReplacer)}\n`,
  });
  const route = `${method} ${url.pathname}`;
  if (route === 'POST /_sim/reset') {
    reset();
    return answer(200, { success: true });
  }
  const handler = handlers[route];
  if (handler === undefined) {
    return answer(404, { error: `no ${route}`, known: [...Object.keys(handlers), 'POST /_sim/reset'] });
  }
  try {
    const parsed: unknown = body === '' ? {} : JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      throw new BadControlCall('the body must be a JSON object');
    }
    return answer(200, handler(url.searchParams, parsed as Body, context));
  } catch (error) {
    const isMistake =
      error instanceof BadControlCall ||
      error instanceof InvalidFault ||
      error instanceof UnknownSwitch ||
      error instanceof SyntaxError;
    if (isMistake) return answer(400, { error: error.message });
    throw error;
  }
}
