import { GraphError, nonexistingField } from './graph-error.ts';
import type { SimulatorContext } from './context.ts';

/** `a,b{c}` as a tree: each asked field with the fields asked inside it, if any. */
export type FieldTree = Map<string, FieldTree | undefined>;

/** How one type of object reads: what it answers by default, what it can answer, and what is known but always empty. */
export interface Shape<T> {
  readonly name: string;
  readonly defaults: readonly string[];
  readonly fields: Readonly<Record<string, (value: T, context: SimulatorContext) => unknown>>;
  /** Fields Meta knows and the simulator has no value for: asked, they are left out of the answer as Meta does. */
  readonly empty: ReadonlySet<string>;
}

/** One object to answer with, read through its shape. A shape's field may return a Row to nest another object. */
export class Row {
  readonly shape: Shape<unknown>;
  readonly value: unknown;

  constructor(shape: Shape<unknown>, value: unknown) {
    this.shape = shape;
    this.value = value;
  }
}

/** A list of objects to answer with, paged. Inside an object it is an edge (`{data: […]}`) or, `bare`, a plain array. */
export class Rows {
  readonly shape: Shape<unknown>;
  readonly values: readonly unknown[];
  readonly isBare: boolean;

  constructor(shape: Shape<unknown>, values: readonly unknown[], isBare = false) {
    this.shape = shape;
    this.values = values;
    this.isBare = isBare;
  }
}

// A Row pairs a value with the shape of its own type, so forgetting the type afterwards is safe.
export const row = <T>(shape: Shape<T>, value: NoInfer<T>): Row => new Row(shape as Shape<unknown>, value);
export const rows = <T>(shape: Shape<T>, values: readonly NoInfer<T>[]): Rows =>
  new Rows(shape as Shape<unknown>, values);
export const bareRows = <T>(shape: Shape<T>, values: readonly NoInfer<T>[]): Rows =>
  new Rows(shape as Shape<unknown>, values, true);

export const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const syntaxError = (text: string): GraphError =>
  new GraphError({ code: 2500, message: `Syntax error in field expansion: ${text.slice(0, 200)}` });

/** Reads a `fields` parameter; anything but names, commas and braces is code 2500. */
export function parseFields(text: string): FieldTree {
  const tokens = text.match(/[A-Za-z0-9_]+|[{},]|\S/g) ?? [];
  let position = 0;

  const readList = (depth: number): FieldTree => {
    const tree: FieldTree = new Map();
    for (;;) {
      const name = tokens[position];
      if (name === undefined || !/^\w+$/.test(name)) throw syntaxError(text);
      position += 1;
      let inner: FieldTree | undefined;
      if (tokens[position] === '{') {
        position += 1;
        inner = readList(depth + 1);
        if (tokens[position] !== '}') throw syntaxError(text);
        position += 1;
      }
      tree.set(name, inner);
      if (tokens[position] !== ',') return tree;
      position += 1;
    }
  };

  const tree = readList(0);
  if (position !== tokens.length) throw syntaxError(text);
  return tree;
}

/** The JSON object for a row: the asked fields, or the shape's defaults; `id` always comes along. */
export function render(row: Row, tree: FieldTree | undefined, context: SimulatorContext): Record<string, unknown> {
  const { shape, value } = row;
  const asked = tree ?? new Map(shape.defaults.map((name) => [name, undefined]));
  const answer: Record<string, unknown> = {};
  for (const [name, inner] of asked) {
    const read = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (read === undefined) {
      if (shape.empty.has(name)) continue;
      throw nonexistingField(name, shape.name);
    }
    const found = read(value, context);
    if (found instanceof Row) answer[name] = render(found, inner, context);
    else if (found instanceof Rows) {
      const list = found.values.map((entry) => render(new Row(found.shape, entry), inner, context));
      answer[name] = found.isBare ? list : { data: list };
    } else if (found !== undefined) answer[name] = found;
  }
  const readId = shape.fields['id'];
  if (answer['id'] === undefined && readId !== undefined) answer['id'] = readId(value, context);
  return answer;
}

/** ISO 8601 the way Graph writes it: seconds, with a +0000 offset. */
export const graphTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}+0000`;
