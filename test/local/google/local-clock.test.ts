import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, systemLocalClock, wireMs, wireTimestamp } from './local-clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('the manual clock', () => {
  it('runs what falls due in order of time, each at its own instant, those set meanwhile too', () => {
    const clock = new ManualClock(0);
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, clock.nowMs()]);
    clock.at(30, note('late'));
    clock.at(10, () => {
      note('early')();
      clock.at(20, note('set meanwhile'));
      clock.at(100, note('not yet'));
    });
    clock.at(10, note('same instant, set second'));
    clock.advance(50);
    expect(ran).toEqual([
      ['early', 10],
      ['same instant, set second', 10],
      ['set meanwhile', 20],
      ['late', 30],
    ]);
    expect(clock.nowMs()).toBe(50);
  });

  it('never runs what was cancelled, nor anything twice', () => {
    const clock = new ManualClock(0);
    let ran = 0;
    const cancel = clock.at(10, () => (ran += 100));
    clock.at(10, () => (ran += 1));
    cancel();
    clock.advance(10);
    clock.advance(10);
    expect(ran).toBe(1);
  });
});

describe('the system clock', () => {
  it('waits a month, which one Node timeout cannot', () => {
    vi.useFakeTimers();
    const ran = vi.fn<() => void>();
    const monthMs = 30 * 24 * 3_600_000;
    systemLocalClock.at(Date.now() + monthMs, ran);
    vi.advanceTimersByTime(monthMs - 1);
    expect(ran).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(ran).toHaveBeenCalledOnce();
  });

  it('forgets a cancelled wait, also after its first leg', () => {
    vi.useFakeTimers();
    const ran = vi.fn<() => void>();
    const cancel = systemLocalClock.at(Date.now() + 2 ** 32, ran);
    vi.advanceTimersByTime(2 ** 31);
    cancel();
    vi.advanceTimersByTime(2 ** 33);
    expect(ran).not.toHaveBeenCalled();
  });
});

it('a timestamp keeps its milliseconds on the wire', () => {
  expect(wireTimestamp(1_767_225_600_123)).toEqual({ seconds: '1767225600', nanos: 123_000_000 });
  expect(wireMs(wireTimestamp(1_767_225_600_123))).toBe(1_767_225_600_123);
});
