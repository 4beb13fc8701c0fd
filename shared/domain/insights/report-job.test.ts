import { describe, expect, it } from 'vitest';
import { addDays } from './account-day.ts';
import {
  afterNews,
  afterPart,
  afterTooMuchData,
  areSettled,
  nextPollMs,
  plannedJobs,
  started,
  stuckAfterMs,
} from './report-job.ts';
import type { ReportJob } from './report-job.ts';

const now = new Date('2026-11-25T06:00:00Z');
const at = (ms: number): Date => new Date(now.getTime() + ms);
const range = { since: '2026-10-28', until: '2026-11-25' };
const running = (changes: Partial<ReportJob> = {}): ReportJob => ({
  ...started(plannedJobs(range)[0]!, '31', now),
  ...changes,
});

describe('a report job', () => {
  it('counts as there only when Meta says completed, and is left running at 99 %', () => {
    expect(afterNews(running(), { kind: 'running', percent: 99 }, at(1), 9)[0]?.state).toBe('running');
    expect(afterNews(running(), { kind: 'completed' }, at(1), 9)[0]?.state).toBe('ready');
  });

  it('is started again when it stood still for twenty minutes, at 0 % as at 99 %, and not a moment earlier', () => {
    for (const percent of [0, 99]) {
      const moved = afterNews(running(), { kind: 'running', percent }, now, 9)[0]!;
      const still = (ms: number) => afterNews(moved, { kind: 'running', percent }, at(ms), 9)[0];
      expect(still(stuckAfterMs - 1)).toMatchObject({ state: 'running', runId: '31' });
      expect(still(stuckAfterMs)).toMatchObject({ state: 'pending', runId: null, failures: 1 });
    }
  });

  it('covers every day once, whatever way it is split', () => {
    const days: string[] = [];
    const split = (job: ReportJob): void => {
      const [first, ...parts] = afterTooMuchData(job, job.number * 2 + 10);
      if (first?.state === 'given-up') days.push(job.since);
      for (const part of parts) split(part);
    };
    split(running());
    expect(days).toEqual(Array.from({ length: 29 }, (_, index) => addDays(range.since, index)));
  });

  it('goes on after each part where it ended, and forgets every part of a run that Meta lost', () => {
    const ready = running({ state: 'ready', percent: 100 });
    const first = afterPart(ready, { stage: 'one', rows: 500, after: 'c1' }, now, 9)[0]!;
    expect(first).toMatchObject({ state: 'ready', stages: ['one'], rows: 500, after: 'c1' });
    const last = afterPart(first, { stage: 'two', rows: 20, after: undefined }, now, 9)[0]!;
    expect(last).toMatchObject({ state: 'staged', stages: ['one', 'two'], rows: 520, after: null });
    const [lost] = afterNews(first, { kind: 'lost' }, now, 9);
    expect(lost).toMatchObject({ state: 'pending', runId: null, stages: [], rows: 0, after: null, failures: 1 });
  });

  it('gives a run up whose pages do not end', () => {
    const stages = Array.from({ length: 299 }, (_, index) => `s${index}`);
    const job = running({ state: 'ready', stages });
    expect(afterPart(job, { stage: 'last', rows: 1, after: undefined }, now, 9)[0]?.state).toBe('staged');
    const [endless] = afterPart(job, { stage: 'more', rows: 1, after: 'c' }, now, 9);
    expect(endless).toMatchObject({ state: 'pending', stages: [], failures: 1 });
  });

  it('gives a single day up with its reason, and settles', () => {
    const day = { ...running(), since: '2026-11-25' };
    const [given] = afterNews(day, { kind: 'failed', isTooMuchData: true }, now, 9);
    expect(given).toMatchObject({ state: 'given-up', why: 'Meta calls a single day too much data' });
    expect(areSettled([given!])).toBe(true);
    let job = day;
    for (let tries = 0; tries < 6; tries += 1)
      job = { ...afterNews(job, { kind: 'failed', isTooMuchData: false, code: -2 }, now, 9)[0]!, runId: '32' };
    expect(job.why).toBe('Meta failed the run with code -2, 6 times');
  });

  it('is asked about after a minute, then ever more seldom, at last every ten minutes', () => {
    const polls = (count: number): number | undefined => nextPollMs([running({ polls: count })]);
    expect([0, 1, 2, 3, 4, 5, 9].map(polls)).toEqual([60_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
    expect(nextPollMs([{ ...running(), state: 'staged' }])).toBeUndefined();
    expect(nextPollMs([running({ polls: 9 }), { ...running(), state: 'ready' }])).toBe(0);
  });
});
