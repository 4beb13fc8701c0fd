import { quotedWord, type HashedServerEvent, type Refusal } from './server-event.ts';

type Options = Pick<
  HashedServerEvent,
  'data_processing_options' | 'data_processing_options_country' | 'data_processing_options_state'
>;

/** Meta's codes of the states with a privacy law of their own; 1000 is California, and the list grows. */
const FIRST_STATE = 1000;
const LAST_STATE = 1099;

/**
 * Limited Data Use ("Data Processing Options"): `[]` or `["LDU"]`, the latter with country and state, 0 and 0 to let
 * Meta find them. An option we cannot read is refused: sent without it, the event would be used more than the person
 * allowed. `LDU` without country and state gets 0 and 0.
 */
export function readDataProcessing(event: Readonly<Record<string, unknown>>): Options | Refusal {
  const given = event['data_processing_options'];
  if (given === undefined || given === null) return {};
  const options: unknown[] = Array.isArray(given) ? given : [given];
  if (options.length === 0) return { data_processing_options: [] };
  if (options.length > 1 || options[0] !== 'LDU') {
    const got = quotedWord(options.length === 1 ? options[0] : options);
    return { field: 'data_processing_options', code: 'unknown_option', got, expected: '[] or ["LDU"]' };
  }
  const country = code(event['data_processing_options_country']);
  const state = code(event['data_processing_options_state']);
  const located = country === 1 && (state === 0 || (state >= FIRST_STATE && state <= LAST_STATE));
  if (!located && !(country === 0 && state === 0)) {
    const expected = 'country 0 and state 0, or country 1 and state 1000 (California) to 1099';
    return { field: 'data_processing_options_state', code: 'unknown_place', got: 'another pair', expected };
  }
  return {
    data_processing_options: ['LDU'],
    data_processing_options_country: country,
    data_processing_options_state: state,
  };
}

function code(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'string') return /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN;
  return typeof value === 'number' ? value : Number.NaN;
}
