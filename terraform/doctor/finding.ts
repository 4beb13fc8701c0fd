/** One line of `npm run doctor`. */
export interface Finding {
  /** What was looked at: `secret meta-app-secret`. */
  readonly subject: string;
  /** `not-checked`: it could not be looked at from here; `says` has the reason. */
  readonly state: 'ok' | 'wrong' | 'not-checked';
  readonly says: string;
  /** What to do, for what is wrong. */
  readonly mend?: string;
}

export const ok = (subject: string, says: string): Finding => ({ subject, state: 'ok', says });
export const wrong = (subject: string, says: string, mend: string): Finding => ({
  subject,
  state: 'wrong',
  says,
  mend,
});
export const notChecked = (subject: string, says: string): Finding => ({ subject, state: 'not-checked', says });

/** What an error says, for a person; Google's and our own hold no secret. */
export function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
