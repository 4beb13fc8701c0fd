/** The states of a step in a run; `functions/provisioning/README.md` draws how one leads to another. */
export const stepStates = [
  'pending',
  'queued',
  'running',
  'retrying',
  'waiting',
  'failed',
  'done',
  'skipped',
  'cancelled',
] as const;
export type StepState = (typeof stepStates)[number];

/**
 * Whether those who need a step in this state may go on. A step that the run has no document of came into being after the
 * run: it is none of its needs.
 */
export function isMet(state: StepState | undefined): boolean {
  return state === undefined || state === 'done' || state === 'skipped';
}
