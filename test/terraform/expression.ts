/**
 * Evaluates Terraform expressions over the syntax tree of HashiCorp's own parser (`@cdktn/hcl2json` carries it as
 * WebAssembly), as far as `terraform/` uses the language. What is not known here is refused by name, never guessed.
 */
import { getExpressionAst } from './hcl.ts';
import { functions } from './expression-functions.ts';
import { EvaluationError, asText, entriesOf, isSame, listOf, shown } from './value.ts';
import type { Value, Values } from './value.ts';

/** A node as the parser gives it. */
interface Node {
  readonly type: string;
  readonly children: readonly Node[];
  readonly range: { readonly start: { readonly byte: number }; readonly end: { readonly byte: number } };
  readonly meta?: {
    readonly value?: string;
    readonly name?: string;
    readonly type?: string;
    readonly operator?: string;
    readonly keyVar?: string;
    readonly valVar?: string;
    readonly keyExpression?: string;
    readonly conditionalExpression?: string;
    readonly groupedValue?: boolean;
    readonly expandedFinalArgument?: boolean;
    readonly traversal?: readonly { readonly type: string; readonly segment: string }[];
  };
}

/** What names stand for: variables of `for`, `each`, dynamic blocks; then everything declared. */
export interface Scope {
  readonly names: Readonly<Record<string, Value>>;
  /** Reads a declared thing and as much of the path as it needs: `local.x`, `google_pubsub_topic.topic`. */
  declared(path: readonly string[]): { readonly value: Value; readonly used: number };
  /** Reads one attribute further; knows what a resource's own attributes are. */
  member(of: Value, key: Value): Value;
}

const trees = new Map<string, Node>();

/** Parses every expression in a value as hcl2json gives it, so that it can be evaluated without waiting. */
export async function prepare(raw: unknown): Promise<void> {
  if (typeof raw === 'string') {
    for (const part of partsOf(raw)) {
      if (typeof part === 'string' || trees.has(part.expression)) continue;
      trees.set(part.expression, (await getExpressionAst('expression.tf', part.expression)) as Node);
    }
  } else if (Array.isArray(raw)) {
    for (const each of raw) await prepare(each);
  } else if (typeof raw === 'object' && raw !== null) {
    for (const [key, each] of Object.entries(raw)) {
      await prepare(key);
      await prepare(each);
    }
  }
}

/** Evaluates a value as hcl2json gives it: texts with `${…}`, lists, objects. */
export function evaluate(raw: unknown, scope: Scope): Value {
  if (raw === null || typeof raw === 'number' || typeof raw === 'boolean') return raw;
  if (Array.isArray(raw)) return raw.map((each) => evaluate(each, scope));
  if (typeof raw === 'object')
    return Object.fromEntries(
      Object.entries(raw).map(([key, each]) => [asText(evaluate(key, scope)), evaluate(each, scope)]),
    );
  const parts = partsOf(raw as string);
  const [first] = parts;
  if (parts.length === 1 && first !== undefined && typeof first !== 'string') return run(first.expression, scope);
  return parts.map((part) => (typeof part === 'string' ? part : asText(run(part.expression, scope)))).join('');
}

function run(expression: string, scope: Scope): Value {
  const tree = trees.get(expression);
  if (tree === undefined) throw new EvaluationError(`"${expression}" was not prepared`);
  try {
    return valueOf(tree, expression, scope);
  } catch (error) {
    if (error instanceof EvaluationError && !error.message.includes('\n'))
      throw new EvaluationError(`${error.message}\n  in ${expression.replaceAll(/\s+/g, ' ').slice(0, 300)}`);
    throw error;
  }
}

function valueOf(node: Node, source: string, scope: Scope): Value {
  const { children, meta = {} } = node;
  const child = (index: number): Value => {
    const found = children[index];
    if (found === undefined) throw new EvaluationError(`a ${node.type} without part ${index}`);
    return valueOf(found, source, scope);
  };
  switch (node.type) {
    case '':
    case 'templateWrap':
      return child(0);
    case 'literalValue':
      if (meta.type === 'number') return Number(meta.value);
      if (meta.type === 'bool') return meta.value === 'true';
      return meta.type === 'string' ? unescaped(meta.value ?? '') : null;
    case 'template':
      return children.map((_, index) => asText(child(index))).join('');
    case 'tuple':
      return children.map((_, index) => child(index));
    case 'object':
      return objectOf(children, source, scope);
    case 'scopeTraversal':
      return traverse(meta.traversal ?? [], scope);
    case 'relativeTraversal':
      return (meta.traversal ?? []).reduce((value, step) => scope.member(value, keyOf(step)), child(0));
    case 'index':
      return scope.member(child(0), child(1));
    case 'conditional':
      return asBoolean(child(0)) ? child(1) : child(2);
    case 'unaryOp':
      return meta.operator === 'logicalNot' ? !asBoolean(child(0)) : -Number(child(0));
    case 'binaryOp':
      return operate(meta.operator ?? '', child);
    case 'for':
      return loop(node, source, scope);
    case 'function':
      return call(node, child);
    default:
      throw new EvaluationError(`expressions of type "${node.type}" are not known here`);
  }
}

/** The parser gives the text of a literal as it is written. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, letter: string) => ({ n: '\n', t: '\t' })[letter] ?? letter);
}

function objectOf(children: readonly Node[], source: string, scope: Scope): Values {
  const entries: [string, Value][] = [];
  for (let index = 0; index + 1 < children.length; index += 2) {
    const [key, value] = [children[index], children[index + 1]] as [Node, Node];
    const name =
      key.children.length === 0
        ? Buffer.from(source).subarray(key.range.start.byte, key.range.end.byte).toString()
        : asText(valueOf(key, source, scope));
    entries.push([name.replaceAll(/^"|"$/g, ''), valueOf(value, source, scope)]);
  }
  return Object.fromEntries(entries);
}

function traverse(steps: readonly { type: string; segment: string }[], scope: Scope): Value {
  const path = steps.map((step) => String(keyOf(step)));
  const [head = ''] = path;
  const { value, used } = head in scope.names ? { value: scope.names[head] as Value, used: 1 } : scope.declared(path);
  return steps.slice(used).reduce((found, step) => scope.member(found, keyOf(step)), value);
}

function keyOf({ type, segment }: { type: string; segment: string }): string | number {
  if (type !== 'indexTraversal') return segment;
  return segment.startsWith('"') ? String(JSON.parse(segment)) : Number(segment);
}

function operate(operator: string, part: (index: number) => Value): Value {
  const left = part(0);
  switch (operator) {
    case 'logicalAnd':
      return asBoolean(left) && asBoolean(part(1));
    case 'logicalOr':
      return asBoolean(left) || asBoolean(part(1));
    case 'equal':
      return isSame(left, part(1));
    case 'notEqual':
      return !isSame(left, part(1));
    case 'greaterThan':
      return Number(left) > Number(part(1));
    case 'greaterThanOrEqual':
      return Number(left) >= Number(part(1));
    case 'lessThan':
      return Number(left) < Number(part(1));
    case 'lessThanOrEqual':
      return Number(left) <= Number(part(1));
    case 'add':
      return Number(left) + Number(part(1));
    case 'subtract':
      return Number(left) - Number(part(1));
    case 'multiply':
      return Number(left) * Number(part(1));
    default:
      throw new EvaluationError(`the operator "${operator}" is not known here`);
  }
}

function loop(node: Node, source: string, scope: Scope): Value {
  const { keyVar = '', valVar = '', keyExpression, conditionalExpression, groupedValue = false } = node.meta ?? {};
  const [collection, ...rest] = node.children as [Node, ...Node[]];
  const keyNode = keyExpression === undefined ? undefined : rest.shift();
  const valueNode = rest.shift() as Node;
  const conditionNode = conditionalExpression === undefined ? undefined : rest.shift();
  const list: Value[] = [];
  const object: Record<string, Value> = {};
  for (const [key, value] of entriesOf(valueOf(collection, source, scope))) {
    const names = { ...scope.names, [valVar]: value, ...(keyVar === '' ? {} : { [keyVar]: key }) };
    const inner = { ...scope, names };
    if (conditionNode !== undefined && !asBoolean(valueOf(conditionNode, source, inner))) continue;
    const result = valueOf(valueNode, source, inner);
    if (keyNode === undefined) list.push(result);
    else {
      const name = asText(valueOf(keyNode, source, inner));
      if (groupedValue) object[name] = [...((object[name] ?? []) as readonly Value[]), result];
      else if (name in object) throw new EvaluationError(`two elements have the key "${name}"`);
      else object[name] = result;
    }
  }
  return keyNode === undefined ? list : object;
}

function call({ children, meta = {} }: Node, argument: (index: number) => Value): Value {
  const name = meta.name ?? '';
  const attempts = children.map((_, index) => () => argument(index));
  if (name === 'try' || name === 'can') {
    for (const attempt of attempts) {
      try {
        const value = attempt();
        return name === 'can' ? true : value;
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
      }
    }
    if (name === 'can') return false;
    throw new EvaluationError('no argument of try has a value');
  }
  const known = functions[name];
  if (known === undefined) throw new EvaluationError(`the function ${name} is not known here`);
  const values = attempts.map((attempt) => attempt());
  return known(...(meta.expandedFinalArgument ? [...values.slice(0, -1), ...listOf(values.at(-1) ?? null)] : values));
}

function asBoolean(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw new EvaluationError(`${shown(value)} is neither true nor false`);
}

/** A text's literal parts and the expressions in its `${…}`. */
function partsOf(text: string): (string | { readonly expression: string })[] {
  const parts: (string | { readonly expression: string })[] = [];
  let from = 0;
  for (;;) {
    const start = text.indexOf('${', from);
    if (start < 0) break;
    if (start > from) parts.push(text.slice(from, start));
    const end = endOfExpression(text, start + 2);
    parts.push({ expression: text.slice(start + 2, end) });
    from = end + 1;
  }
  if (from < text.length || parts.length === 0) parts.push(text.slice(from));
  return parts;
}

/** Where the `}` is that ends the expression beginning at `from`; braces within quotes do not count. */
function endOfExpression(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') at = endOfQuote(text, at + 1);
    else if (text[at] === '{') depth += 1;
    else if (text[at] === '}' && depth-- === 0) return at;
  }
  throw new EvaluationError(`"${text}" has a \${ without its }`);
}

function endOfQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text.startsWith('${', at)) at = endOfExpression(text, at + 2);
    else if (text[at] === '"') return at;
  }
  throw new EvaluationError(`"${text}" has a quote without its end`);
}
