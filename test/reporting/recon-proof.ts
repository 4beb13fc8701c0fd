/** `npm run report:recon`: 400 labelled weeks; bands, causes, false alarms, and whether the parts add up. */
import { reconcileWeek } from '../../shared/domain/reconciliation/reconcile.ts';
import type { WeekFigures } from '../../shared/domain/reconciliation/reconcile.ts';
import { scenario } from './recon-scenarios.ts';

export interface ReconFigures {
  readonly scenarios: number;
  readonly bandAccuracy: number;
  readonly causeAccuracy: number;
  readonly falseRedOnClean: number;
  readonly notAddingUp: number;
  readonly misses: string[];
}

export function measureReconciliation(scenarios: number): ReconFigures {
  let [bands, causes, labelled, clean, falseRed, notAddingUp] = [0, 0, 0, 0, 0, 0];
  const misses: string[] = [];
  for (let number = 0; number < scenarios; number += 1) {
    const { label, band, past, week } = scenario(number);
    const figures: WeekFigures[] = [];
    for (const before of past) figures.push(reconcileWeek(before, figures).figures);
    const found = reconcileWeek(week, figures);
    if (found.band === band) bands += 1;
    else misses.push(`${number} ${label}: band ${found.band}, should be ${band} (${found.why})`);
    if (label === 'clean') {
      clean += 1;
      if (found.band === 'red') falseRed += 1;
    } else {
      labelled += 1;
      if (found.mainCause === label) causes += 1;
      else misses.push(`${number} ${label}: cause ${found.mainCause ?? 'none'}`);
    }
    const total = found.parts.reduce((sum, { hundredths }) => sum + hundredths, 0);
    if (total !== found.gapHundredths) notAddingUp += 1;
  }
  return {
    scenarios,
    bandAccuracy: bands / scenarios,
    causeAccuracy: causes / labelled,
    falseRedOnClean: falseRed / Math.max(1, clean),
    notAddingUp,
    misses,
  };
}

export function isMet({ bandAccuracy, causeAccuracy, falseRedOnClean, notAddingUp }: ReconFigures): boolean {
  return bandAccuracy >= 0.97 && causeAccuracy >= 0.9 && falseRedOnClean <= 0.01 && notAddingUp === 0;
}

if (import.meta.main) {
  const figures = measureReconciliation(400);
  const shown = { ...figures, misses: figures.misses.slice(0, process.argv.includes('--json') ? 400 : 12) };
  process.stdout.write(`${JSON.stringify(shown, null, process.argv.includes('--json') ? 0 : 2)}\n`);
  process.exitCode = isMet(figures) ? 0 : 1;
}
