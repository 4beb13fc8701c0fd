import { describe, expect, test } from 'vitest';
import { createUsageGate, readUsage, subjectOfPath } from './usage.ts';

const business = (entries: Record<string, object[]>) => ({ 'x-business-use-case-usage': JSON.stringify(entries) });

function gateAt() {
  const clock = { nowMs: 0 };
  return { clock, gate: createUsageGate(() => clock.nowMs) };
}

describe('usage headers', () => {
  test('every header is read, percentages as the highest of their kinds', () => {
    const call = subjectOfPath('/act_7/campaigns');
    const usages = readUsage(
      {
        'x-app-usage': '{"call_count":28,"total_time":25,"total_cputime":30}',
        'x-ad-account-usage':
          '{"acc_id_util_pct":9.67,"reset_time_duration":0,"ads_api_access_tier":"standard_access"}',
        ...business({
          '99': [{ type: 'ads_insights', call_count: 5, total_time: 80, estimated_time_to_regain_access: 2 }],
        }),
      },
      call,
    );
    expect(usages).toEqual([
      { subject: 'app', useCase: 'other', percent: 30, regainMinutes: 0 },
      { subject: '7', useCase: 'other', percent: 9.67, regainMinutes: 0, accessTier: 'standard_access' },
      { subject: '99', useCase: 'ads_insights', percent: 80, regainMinutes: 2 },
    ]);
  });

  test('a header that cannot be read is skipped and stops nothing', () => {
    for (const text of ['', 'x', '[]', 'null', '{"1":5}', '{"1":[null]}', '{"1":[{"call_count":"many"}]}']) {
      const call = subjectOfPath('/1');
      const { gate } = gateAt();
      gate.learn(call, readUsage({ 'x-app-usage': text, 'x-business-use-case-usage': text }, call));
      expect(gate.blockedUntilMs(call)).toBeUndefined();
    }
  });
});

describe('the gate', () => {
  test('the limit of the account behind a dataset keeps the dataset back too', () => {
    const { gate, clock } = gateAt();
    const events = subjectOfPath('/55/events');
    const headers = business({ '7': [{ type: 'ads_management', estimated_time_to_regain_access: 1 }] });
    gate.learn(events, readUsage(headers, events));
    expect(gate.blockedUntilMs(events)).toBe(60_000);
    expect(gate.blockedUntilMs(subjectOfPath('/act_7/adspixels'))).toBe(60_000);
    expect(gate.blockedUntilMs(subjectOfPath('/56/events'))).toBeUndefined();
    clock.nowMs = 60_000;
    expect(gate.blockedUntilMs(events)).toBeUndefined();
  });

  test('limits of insights, audiences, catalog batches and the rest are kept apart', () => {
    const { gate } = gateAt();
    const insights = subjectOfPath('/act_7/insights');
    const headers = business({ '7': [{ type: 'ads_insights', estimated_time_to_regain_access: 1 }] });
    gate.learn(insights, readUsage(headers, insights));
    expect(gate.blockedUntilMs(insights)).toBe(60_000);
    for (const path of ['/act_7/campaigns', '/act_7/customaudiences', '/7/items_batch', '/act_7']) {
      expect(gate.blockedUntilMs(subjectOfPath(path))).toBeUndefined();
    }
  });

  test('of an hour’s 600 reports 90 % are asked for at once, and with rests never more than 95 %, by one process or by new ones', () => {
    const call = subjectOfPath('/act_7/insights');
    for (const isNewEachTurn of [false, true]) {
      const clock = { nowMs: 0 };
      let gate = createUsageGate(() => clock.nowMs);
      let made = 0;
      const madeAfterTurn: number[] = [];
      // Meta's hour begins with the first call; the account is looked at as soon as it may be.
      for (; clock.nowMs < 3_600_000; clock.nowMs = gate.blockedUntilMs(call) ?? clock.nowMs) {
        if (isNewEachTurn) gate = createUsageGate(() => clock.nowMs);
        while (gate.blockedUntilMs(call) === undefined) {
          made += 1;
          const percent = Math.floor((made * 100) / 600);
          const headers = {
            ...business({ '7': [{ type: 'ads_insights', call_count: percent }] }),
            'x-fb-ads-insights-throttle': JSON.stringify({ app_id_util_pct: 0, acc_id_util_pct: percent }),
          };
          gate.learn(call, readUsage(headers, call));
        }
        madeAfterTurn.push(made);
      }
      expect(madeAfterTurn[0]).toBe(540);
      expect(made).toBeLessThanOrEqual(570);
      expect(made).toBeGreaterThanOrEqual(isNewEachTurn ? 551 : 565);
    }
  });

  test('a full bucket of catalog batches is left alone for a minute, other calls on the catalog are not', () => {
    const { gate, clock } = gateAt();
    const batch = subjectOfPath('/7/items_batch');
    const used = (percent: number) => business({ '7': [{ type: 'catalog_batch', call_count: percent }] });
    gate.learn(batch, readUsage(used(99), batch));
    expect(gate.blockedUntilMs(batch)).toBeUndefined();
    gate.learn(batch, readUsage(used(100), batch));
    expect(gate.blockedUntilMs(batch)).toBe(clock.nowMs + 60_000);
    for (const path of ['/7/check_batch_request_status', '/8/items_batch'])
      expect(gate.blockedUntilMs(subjectOfPath(path))).toBeUndefined();
  });

  test('a block is never shortened by a later, shorter one', () => {
    const { gate } = gateAt();
    const call = subjectOfPath('/1');
    gate.block(call, 500);
    gate.block(call, 100);
    expect(gate.blockedUntilMs(call)).toBe(500);
  });

  test('an old percentage slows nothing down', () => {
    const { gate, clock } = gateAt();
    const call = subjectOfPath('/1');
    gate.learn(call, readUsage({ 'x-app-usage': '{"call_count":100}' }, call));
    expect(gate.paceMs(subjectOfPath('/2'))).toBe(2_000);
    clock.nowMs = 300_001;
    expect(gate.paceMs(subjectOfPath('/2'))).toBe(0);
  });

  test('a thousand tenants that were throttled and are not any more leave nothing behind', () => {
    const { gate, clock } = gateAt();
    for (let id = 0; id < 5_000; id += 1) {
      clock.nowMs += 10;
      gate.block({ subject: String(id), useCase: 'other' }, clock.nowMs + 5);
    }
    expect(gate.blockedUntilMs({ subject: '4999', useCase: 'other' })).toBe(clock.nowMs + 5);
    expect(gate.blockedUntilMs({ subject: '0', useCase: 'other' })).toBeUndefined();
  });
});
