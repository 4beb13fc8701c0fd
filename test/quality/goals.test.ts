import { expect, test } from 'vitest';
import { judgeLabelledSeries } from './labelled-series.ts';
import { nameLabelledCauses } from './planted-causes.ts';
import { predictSimulatedScores } from './predicted-scores.ts';

test('of 200 labelled histories nearly every trouble is told within two polls, and hardly anything else', () => {
  const figures = judgeLabelledSeries(200, 1);
  expect(figures.recall, figures.mistakes.join('\n')).toBeGreaterThanOrEqual(0.98);
  expect(figures.precision, figures.mistakes.join('\n')).toBeGreaterThanOrEqual(0.95);
  expect(figures.slowestPolls).toBeLessThanOrEqual(2);
});

test('an event with few events a day never pages anybody', () => {
  expect(judgeLabelledSeries(200, 2).pagesForFewEvents).toBe(0);
});

test('the planted cause of a drop is named first', () => {
  const { cases, first, undetected, mistakes } = nameLabelledCauses(120, 1);
  const judged = cases - undetected;
  expect(judged).toBeGreaterThan(60);
  expect(first / judged, mistakes.join('\n')).toBeGreaterThanOrEqual(0.9);
});

test('fitted to other tenants, the predictor orders unseen traffic as Meta does and names the key worth most', () => {
  const figures = predictSimulatedScores(100, 1);
  expect(figures.rankCorrelation).toBeGreaterThanOrEqual(0.95);
  expect(figures.meanError).toBeLessThan(Math.min(0.3, figures.meanErrorBefore));
  expect(figures.bestKeyNamed).toBeGreaterThanOrEqual(0.95);
});
