import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';
import { usageLogger } from './usage-log.ts';

function told() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const clock = { ms: 0 };
  const tell = usageLogger(createLogger({ level: 'info', functionName: 'test', destination }), () => clock.ms);
  const of = (subject: string, useCase: 'other' | 'ads_insights', percent: number): void =>
    tell([{ subject, useCase, percent, regainMinutes: 0 }]);
  return { clock, of, said: () => lines.map(({ useCase, percent }) => [useCase, percent]) };
}

test('a thousand calls in a minute are one line, and the next minute tells the highest of them', () => {
  const { clock, of, said } = told();
  for (let call = 0; call < 1_000; call += 1) of('app', 'other', call === 500 ? 40 : 10);
  expect(said()).toEqual([['app', 10]]);
  clock.ms = 60_000;
  of('app', 'other', 5);
  expect(said()).toEqual([
    ['app', 10],
    ['app', 40],
  ]);
});

test('a limit that comes near is told at once, and again only when it comes nearer', () => {
  const { of, said } = told();
  for (const percent of [10, 80, 79, 80, 95]) of('123', 'ads_insights', percent);
  expect(said()).toEqual([
    ['ads_insights', 10],
    ['ads_insights', 80],
    ['ads_insights', 95],
  ]);
});

test("the app's limit and those of tenants are told apart, and no tenant is named", () => {
  const { of, said } = told();
  of('app', 'other', 1);
  of('1234567890', 'other', 2);
  of('1234567891', 'other', 1);
  expect(said()).toEqual([
    ['app', 1],
    ['other', 2],
  ]);
});
