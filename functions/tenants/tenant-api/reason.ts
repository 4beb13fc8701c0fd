import * as v from 'valibot';

/** Why a person decided so: kept in the audit trail, so it must say something. */
export const reason = {
  schema: v.pipe(v.string(), v.trim(), v.minLength(5), v.maxLength(300)),
  expected: ['why, in 5-300 characters'],
} as const;
