import { judgeGate, mayLaunch } from '../../shared/domain/catalog/launch-gate.ts';
import type { GateOverride } from '../../shared/domain/catalog/launch-gate.ts';
import { Random } from '../random.ts';
import { gateCase } from './gate-cases.ts';

export interface GateResult {
  readonly cases: number;
  readonly blocked: number;
  readonly unknown: number;
  readonly open: number;
  readonly overridden: number;
  readonly wrong: readonly string[];
}

/** Judges cases with a planned truth, each also under an override that is in force, over, or not there. */
export function runGateCases(cases: number, seed: number): GateResult {
  const random = new Random(seed);
  const tally = { blocked: 0, unknown: 0, open: 0 };
  const wrong: string[] = [];
  let overridden = 0;
  for (let number = 0; number < cases; number += 1) {
    const { facts, truth } = gateCase(random);
    const verdict = judgeGate(facts);
    const answers = Object.values(truth);
    const state = answers.includes('no') ? 'blocked' : answers.includes('unknown') ? 'unknown' : 'open';
    tally[state] += 1;
    if (verdict.state !== state) wrong.push(`case ${number}: ${verdict.state}, not ${state}`);
    for (const { condition, answer, reason, fix } of verdict.checks) {
      if (answer !== truth[condition])
        wrong.push(`case ${number}: ${condition} ${answer}, not ${truth[condition]}: ${reason}`);
      if (reason === '' || (answer !== 'yes' && fix === '')) wrong.push(`case ${number}: ${condition} says nothing`);
    }
    const now = new Date(facts.at);
    const kind = random.pick(['none', 'in force', 'over'] as const);
    const expiresAt = new Date(now.getTime() + (kind === 'in force' ? 1 : 0)).toISOString();
    const override: GateOverride | null =
      kind === 'none' ? null : { reason: 'Client insists', actor: 'a@kobi.example', at: facts.at, expiresAt };
    const should = state === 'open' || kind === 'in force';
    if (should && state !== 'open') overridden += 1;
    if (mayLaunch(verdict, override, now) !== should)
      wrong.push(`case ${number}: override ${kind}, may launch is not ${should}`);
  }
  return { cases, ...tally, overridden, wrong };
}
