/** The header of an upload: its columns have the names of Meta's own keys, wherever in an event those belong. */
import { csvDelimiters } from '../../../shared/contracts/upload-documents.ts';
import type { CsvDelimiter } from '../../../shared/contracts/upload-documents.ts';
import { unixSeconds } from '../../../shared/domain/event-sources/payload.ts';
import { HASHED_RULES, LONG_NAMES } from '../../../shared/domain/identifiers/rules.ts';
import { UNHASHED_RULES } from '../../../shared/domain/identifiers/unhashed.ts';
import { HttpProblem } from '../../../shared/runtime/http-problem.ts';

type Place = 'event' | 'user_data' | 'custom_data';
interface Column {
  readonly place: Place;
  readonly read: (cell: string) => unknown;
}

const asIs = (cell: string): unknown => cell;
const numeric = (cell: string): unknown => (/^-?\d{1,15}(?:\.\d{1,9})?$/.test(cell) ? Number(cell) : cell);
const list = (cell: string): unknown => cell.split('|').map((part) => part.trim());
const json = (cell: string): unknown => {
  try {
    return JSON.parse(cell) as unknown;
  } catch {
    return cell;
  }
};

const EVENT: Readonly<Record<string, Column['read']>> = {
  event_name: asIs,
  event_time: unixSeconds,
  action_source: asIs,
  event_id: asIs,
  event_source_url: asIs,
  referrer_url: asIs,
  opt_out: asIs,
  consent: asIs,
  data_processing_options: asIs,
  data_processing_options_country: asIs,
  data_processing_options_state: asIs,
};
const CUSTOM: Readonly<Record<string, Column['read']>> = {
  value: asIs,
  currency: asIs,
  order_id: asIs,
  content_ids: list,
  contents: json,
  content_type: asIs,
  content_name: asIs,
  content_category: asIs,
  num_items: numeric,
  predicted_ltv: numeric,
  search_string: asIs,
  status: asIs,
  delivery_category: asIs,
  event_source: asIs,
  lead_event_source: asIs,
};

const columns: ReadonlyMap<string, Column> = new Map([
  ...Object.entries(EVENT).map(([name, read]): [string, Column] => [name, { place: 'event', read }]),
  ...[HASHED_RULES, LONG_NAMES, UNHASHED_RULES].flatMap((rules) =>
    Object.keys(rules).map((name): [string, Column] => [name, { place: 'user_data', read: asIs }]),
  ),
  ...Object.entries(CUSTOM).map(([name, read]): [string, Column] => [name, { place: 'custom_data', read }]),
]);

/** Every column there is. */
export const columnNames: readonly string[] = [...columns.keys()];
/** Without these no row can be an event. */
const required = ['event_name', 'event_time', 'action_source'] as const;
/** What may be the same for all rows; never anything of a person. */
const defaultable = new Set(columnNames.filter((name) => columns.get(name)?.place !== 'user_data'));

/** The columns of a header row. @throws HttpProblem 400 naming each column that is not known, there twice, or missing */
export function columnsOf(cells: readonly string[], defaults: Readonly<Record<string, string>>): string[] {
  const names = cells.map((cell) => cell.trim().toLowerCase());
  const unknown = cells.filter((_cell, index) => !columns.has(names[index] ?? ''));
  if (unknown.length > 0) {
    // A file without a header has a person's data where the names should be, so only what looks like a name is repeated.
    const shown = unknown
      .slice(0, 20)
      .map((cell) => (/^[a-z][\w .-]{0,40}$/i.test(cell.trim()) ? cell.trim() : '(no name)'));
    throw new HttpProblem(400, 'unknown-column', `The header has unknown columns: ${shown.join(', ')}.`, {
      field: 'columns',
      expected: columnNames,
    });
  }
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0)
    throw new HttpProblem(400, 'repeated-column', `The header has columns twice: ${twice.join(', ')}.`, {
      field: 'columns',
    });
  const missing = required.filter((name) => !names.includes(name) && defaults[name] === undefined);
  if (missing.length > 0) {
    throw new HttpProblem(400, 'missing-column', `The header lacks ${missing.join(', ')}.`, {
      field: 'columns',
      expected: missing.map((name) => `a column ${name}, or one value for all rows under defaults.${name}`),
    });
  }
  return names;
}

/** Values for cells that are empty or not there. @throws HttpProblem 400 */
export function defaultsOf(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const defaults: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!defaultable.has(name)) {
      throw new HttpProblem(400, 'unknown-default', 'There is no such column, or it is of one person only.', {
        field: `defaults.${/^\w{1,40}$/.test(name) ? name : '(no name)'}`,
        expected: [...defaultable],
      });
    }
    if (typeof value !== 'string' || value === '' || value.length > 200) {
      throw new HttpProblem(400, 'invalid-default', 'A default is a text of at most 200 characters.', {
        field: `defaults.${name}`,
      });
    }
    defaults[name] = value;
  }
  return defaults;
}

/** What separates the cells of a header: whichever of the three is in it most. */
export function delimiterOf(headerLine: string): CsvDelimiter {
  let best: CsvDelimiter = ',';
  for (const delimiter of csvDelimiters)
    if (headerLine.split(delimiter).length > headerLine.split(best).length) best = delimiter;
  return best;
}

/** One row as a server event of Meta, for the judge. Cells are in the order of the columns. */
export function eventOfRow(
  names: readonly string[],
  cells: readonly string[],
  defaults: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const userData: Record<string, unknown> = {};
  const customData: Record<string, unknown> = {};
  const event: Record<string, unknown> = { user_data: userData, custom_data: customData };
  const places: Readonly<Record<Place, Record<string, unknown>>> = {
    event,
    user_data: userData,
    custom_data: customData,
  };
  const set = (name: string, cell: string): void => {
    const column = columns.get(name);
    if (column !== undefined) places[column.place][name] = column.read(cell);
  };
  for (const name of Object.keys(defaults)) set(name, defaults[name] ?? '');
  for (let index = 0; index < names.length; index += 1) {
    const cell = cells[index]?.trim() ?? '';
    if (cell !== '') set(names[index] ?? '', cell);
  }
  return event;
}
