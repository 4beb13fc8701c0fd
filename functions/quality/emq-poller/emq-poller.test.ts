import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { paths } from '../../../shared/contracts/documents.ts';
import { dayMs, pollEveryMs } from '../../../shared/domain/match-quality/reading.ts';
import { nextOwnTimeAfter } from '../../../shared/domain/own-time.ts';
import { RelaySettingsStore } from '../../../shared/gcp/relay-settings-store.ts';
import { startQualityWorld } from '../../../test/quality/quality-world.ts';
import type { QualityTenant, QualityWorld } from '../../../test/quality/quality-world.ts';

let world: QualityWorld;
beforeAll(async () => {
  world = await startQualityWorld();
});
beforeEach(() => world.reset());
afterAll(() => world.close());

const full = { email: 95, phone: 60, fbp: 90 };
const hourMs = 60 * 60_000;
let names = 0;
const newTenant = (): Promise<QualityTenant> => world.addTenant(`shop-${(names += 1)}`);

/** Moves to the next whole hour, at which new tenants are taken in. */
function toTheHour(): void {
  world.clock.now = new Date(Math.ceil(world.clock.now.getTime() / hourMs) * hourMs);
}

/** Lets `days` pass, poll by poll, with `events` Purchase events a day and Meta saying `score`. */
async function live(
  tenant: QualityTenant,
  days: number,
  score: number,
  options: { events?: number; coverage?: Record<string, number> } = {},
) {
  const { events = 400, coverage = full } = options;
  for (let poll = 0; poll < days * (dayMs / pollEveryMs); poll += 1) {
    await world.says(tenant.datasetId, { Purchase: { score: score + (poll % 2) / 10, coverage } });
    if (events > 0) await world.delivered(tenant.tenantId, 'Purchase', events / 4);
    await nextPoll(tenant);
  }
}

/** The tenant's next poll. */
async function nextPoll(tenant: QualityTenant): Promise<void> {
  const due = (await world.picture(tenant.tenantId))?.nextPollAt;
  if (due === undefined) toTheHour();
  else world.clock.now = new Date(Math.max(Date.parse(due), world.clock.now.getTime()));
  await world.run();
}

const openAlerts = async ({ tenantId }: QualityTenant): Promise<string[]> =>
  (await world.alerts(tenantId)).filter(({ resolvedAt }) => resolvedAt === null).map(({ kind }) => kind);

test('a tenant that has just gone live is polled at once when a person runs the finished slot again', async () => {
  const tenant = await newTenant();
  world.clock.now = new Date(Math.ceil(world.clock.now.getTime() / hourMs) * hourMs + 20 * 60_000);
  await world.run();
  expect(await world.picture(tenant.tenantId)).toBeUndefined();
  await world.run(Infinity, true);
  expect(await world.picture(tenant.tenantId)).toMatchObject({ lastPolledAt: expect.any(String) as string });
});

describe('a poll', () => {
  test('of a live tenant keeps what Meta says beside what the relay delivered', async () => {
    const tenant = await newTenant();
    await world.says(tenant.datasetId, { Purchase: { score: 7.4, coverage: full } });
    await world.delivered(tenant.tenantId, 'Purchase', 300, '71');
    await nextPoll(tenant);
    const picture = await world.picture(tenant.tenantId);
    expect(picture?.events['Purchase']).toMatchObject({ score: 7.4, eventsPerDay: 300, judgement: 'short-history' });
    expect(picture?.events['Purchase']?.missingKeys[0]?.key).toBe('ph');
    const [day] = await world.store.daysSince(tenant.tenantId, '2026-01-01');
    expect(Object.values(day?.polls ?? {})).toMatchObject([{ events: { Purchase: { score: 7.4, coverage: full } } }]);
  });

  test('done twice is kept once', async () => {
    const tenant = await newTenant();
    await world.says(tenant.datasetId, { Purchase: { score: 7, coverage: full } });
    await nextPoll(tenant);
    const before = await world.picture(tenant.tenantId);
    // The process died after keeping the poll and before writing the picture.
    await world.store.write({ ...before!, nextPollAt: world.clock.now.toISOString() });
    await world.run();
    await world.store.write({ ...before!, nextPollAt: world.clock.now.toISOString() });
    await world.run();
    const polls = (await world.store.daysSince(tenant.tenantId, '2026-01-01')).flatMap((day) => Object.keys(day.polls));
    expect(new Set(polls).size).toBe(polls.length);
    expect(polls.length).toBeLessThanOrEqual(2);
  });

  test('that Meta refuses leaves the picture, says why, and keeps nobody else from being polled', async () => {
    const [broken, well] = [await newTenant(), await newTenant()];
    for (const tenant of [broken, well]) await world.says(tenant.datasetId, { Purchase: { score: 6, coverage: full } });
    toTheHour();
    world.loseToken(broken.tenantId);
    const report = await world.run();
    expect(report).toMatchObject({ trouble: 1, failed: 0 });
    expect(await world.picture(broken.tenantId)).toMatchObject({
      lastReadingAt: null,
      events: {},
      trouble: { reason: 'waiting', what: 'Mint a token.' },
    });
    expect(await world.picture(well.tenantId)).toMatchObject({ trouble: null, events: { Purchase: { score: 6 } } });
  });

  test.each([
    ['a dead token', { code: 190, subcode: 460 }, 'child system user'],
    ['a missing permission', { code: 200 }, '200'],
  ])('refused for %s says so on the tenant in words, and the next one is polled', async (_what, error, words) => {
    const [first, second] = [await newTenant(), await newTenant()];
    for (const { datasetId } of [first, second]) await world.says(datasetId, { Purchase: { score: 6 } });
    toTheHour();
    world.simulator.faults.plant({ path: 'read_dataset_quality', error });
    expect(await world.run()).toMatchObject({ trouble: 1, read: 1 });
    const pictures = await Promise.all([first, second].map(({ tenantId }) => world.picture(tenantId)));
    const [told] = pictures.flatMap((picture) => picture?.trouble ?? []);
    expect(told?.what).toContain(words);
  });

  test('on the fallback path is made with the parent’s token', async () => {
    const tenant = await world.addTenant('on-parent', {}, 'fallback');
    await world.says(tenant.datasetId, { Purchase: { score: 7 } });
    toTheHour();
    expect(await world.run()).toMatchObject({ read: 1, trouble: 0 });
    const polls = world.simulator.log.entries().filter(({ operation }) => operation === 'read_dataset_quality');
    expect(polls.map(({ token }) => token.kind)).toEqual(['parent']);
  });

  test('that does not happen is told as silence after two and a half intervals, and is never a zero', async () => {
    const tenant = await newTenant();
    await live(tenant, 3, 7);
    world.loseToken(tenant.tenantId);
    for (let hour = 0; hour < 9; hour += 1) await nextPoll(tenant);
    expect(await openAlerts(tenant)).toEqual([]);
    for (let hour = 0; hour < 3; hour += 1) await nextPoll(tenant);
    expect(await openAlerts(tenant)).toEqual(['match-quality-stale']);
    expect((await world.picture(tenant.tenantId))?.events['Purchase']?.score).toBeGreaterThan(6.9);
  });

  test('comes to each tenant at its own time, every six hours, whatever happened in between', () => {
    const at = new Date('2026-11-25T12:00:00Z');
    const times = Array.from(
      { length: 200 },
      (_one, index) => nextOwnTimeAfter(`shop-${index}`, pollEveryMs, at).getTime() - at.getTime(),
    );
    expect(Math.min(...times)).toBeGreaterThan(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(pollEveryMs);
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const own = times.filter((ms) => Math.floor((ms - 1) / (pollEveryMs / 4)) === quarter);
      expect(own.length).toBeGreaterThan(30);
    }
    const next = nextOwnTimeAfter('shop-1', pollEveryMs, at);
    expect(nextOwnTimeAfter('shop-1', pollEveryMs, new Date(next.getTime() + 17 * 60_000)).getTime()).toBe(
      next.getTime() + pollEveryMs,
    );
  });
});

describe('an alert', () => {
  test('of a drop comes once and once more when it lasts, names what changed, and is resolved by itself', async () => {
    const tenant = await newTenant();
    await live(tenant, 9, 8);
    const before = world.published.length;
    const settings = new RelaySettingsStore(world.db, () => world.clock.now);
    await settings.change(tenant.tenantId, { bots: 'drop' }, 'ayse@kobi.example');
    await live(tenant, 1, 5.5, { coverage: { ...full, email: 12 } });
    expect(await openAlerts(tenant)).toEqual(['match-quality-drop']);
    const [alert] = await world.alerts(tenant.tenantId);
    expect(alert).toMatchObject({ severity: 'page' });
    expect(alert?.summary).toMatch(
      /^Purchase: 8\.\d until .* UTC, now 5\.\d\. email came with 95 % of the events, now with 12 %\.$/,
    );
    const told = (alert!.detail['events'] as { causes: { cause: string; subject: string }[] }[])[0];
    expect(told?.causes.map(({ cause, subject }) => `${cause} ${subject}`)).toEqual([
      'key-coverage email',
      'configuration relay-settings-changed',
    ]);
    await live(tenant, 1, 8);
    expect(await openAlerts(tenant)).toEqual([]);
    const news = world.published.slice(before).filter(({ tenantId }) => tenantId === tenant.tenantId);
    expect(news.map(({ topic, state, kind }) => `${topic} ${state} ${kind}`)).toEqual([
      'alert-changed raised match-quality-drop',
      'alert-changed escalated match-quality-drop',
      'alert-changed resolved match-quality-drop',
    ]);
  });

  test('tells that events stopped although Meta no longer has a row for them', async () => {
    const tenant = await newTenant();
    await live(tenant, 5, 7);
    for (let poll = 0; poll < 7; poll += 1) {
      await world.says(tenant.datasetId, {});
      await nextPoll(tenant);
    }
    expect(await openAlerts(tenant)).toEqual(['events-stopped']);
  });

  test('is never raised for an event with few events a day', async () => {
    const tenant = await newTenant();
    await live(tenant, 9, 8, { events: 20 });
    await live(tenant, 1, 2, { events: 20 });
    expect(await openAlerts(tenant)).toEqual([]);
    expect((await world.picture(tenant.tenantId))?.events['Purchase']?.judgement).toBe('few-events');
  });
});

test('tenants whose poll fails for good do not keep the others from being polled', async () => {
  const well = await newTenant();
  await world.says(well.datasetId, { Purchase: { score: 6, coverage: full } });
  toTheHour();
  const broken = Array.from({ length: 60 }, (_one, index) => `broken-${index}`);
  for (const tenantId of broken) await world.addBroken(tenantId);
  expect(await world.run()).toMatchObject({ failed: broken.length, read: 1 });
});

test('a tenant that is live no more is polled no more', async () => {
  const tenant = await newTenant();
  await world.says(tenant.datasetId, { Purchase: { score: 7, coverage: full } });
  await nextPoll(tenant);
  await world.db.doc(paths.tenant(tenant.tenantId)).update({ status: 'cancelled' });
  await nextPoll(tenant);
  expect(await world.picture(tenant.tenantId)).toBeUndefined();
});

test('a tenant that is not live is not polled', async () => {
  const { tenantId } = await world.addTenant('not-yet', { status: 'provisioning' });
  toTheHour();
  await world.run();
  expect((await world.db.doc(paths.matchQuality(tenantId)).get()).exists).toBe(false);
});
