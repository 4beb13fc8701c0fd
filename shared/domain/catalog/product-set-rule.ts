/** Product sets as rules (Marketing API, "Product Set": `filter`). */
import { itemFieldNames } from './item-fields.ts';

/** Operators of a filter, and what they are compared with. */
const setOperators = {
  i_contains: 'text',
  i_not_contains: 'text',
  contains: 'text',
  not_contains: 'text',
  eq: 'text',
  neq: 'text',
  i_eq: 'text',
  i_neq: 'text',
  starts_with: 'text',
  lt: 'number',
  lte: 'number',
  gt: 'number',
  gte: 'number',
  is_any: 'list',
  is_not_any: 'list',
  i_is_any: 'list',
} as const;

/** Fields of a filter that have another name than in a feed. */
const filterFields = new Set<string>([
  ...itemFieldNames,
  'retailer_id',
  'name',
  'category',
  'price_amount',
  'sale_price_amount',
  'current_price',
  'retailer_product_group_id',
  'product_item_id',
]);

const maxDepth = 5;
const maxLeaves = 100;

export interface FilterProblem {
  /** Where in the filter: `and[1].price_amount.lt`. */
  readonly at: string;
  readonly expected: string;
}

/** What is wrong with a filter; none: Meta can take it. Never throws, whatever comes. */
export function filterProblems(filter: unknown): readonly FilterProblem[] {
  const problems: FilterProblem[] = [];
  let leaves = 0;

  const visit = (node: unknown, at: string, depth: number): void => {
    if (!isRecord(node) || Object.keys(node).length !== 1 || depth > maxDepth) {
      problems.push({
        at,
        expected: `an object with one key, at most ${maxDepth} levels deep: and, or, not, or a field`,
      });
      return;
    }
    for (const [key, value] of Object.entries(node)) {
      const here = at === '' ? key : `${at}.${key}`;
      if (key === 'and' || key === 'or') {
        if (!Array.isArray(value) || value.length === 0)
          problems.push({ at: here, expected: 'a list of at least one filter' });
        else for (const [index, each] of value.entries()) visit(each, `${here}[${index}]`, depth + 1);
      } else if (key === 'not') visit(value, here, depth + 1);
      else visitField(key, value, here);
    }
  };

  const visitField = (field: string, comparison: unknown, at: string): void => {
    leaves += 1;
    if (leaves > maxLeaves) {
      if (leaves === maxLeaves + 1) problems.push({ at, expected: `at most ${maxLeaves} comparisons in all` });
      return;
    }
    if (!filterFields.has(field)) problems.push({ at, expected: `one of ${[...filterFields].join(', ')}` });
    if (!isRecord(comparison) || Object.keys(comparison).length === 0) {
      problems.push({ at, expected: `{operator: value}; operators: ${Object.keys(setOperators).join(', ')}` });
      return;
    }
    for (const [operator, value] of Object.entries(comparison)) {
      const here = `${at}.${operator}`;
      const wants = Object.hasOwn(setOperators, operator)
        ? setOperators[operator as keyof typeof setOperators]
        : undefined;
      if (wants === undefined) problems.push({ at: here, expected: `one of ${Object.keys(setOperators).join(', ')}` });
      else if (!isOperand(value, wants)) problems.push({ at: here, expected: operandRule[wants] });
    }
  };

  visit(filter, '', 1);
  return problems;
}

const operandRule = { text: 'a text', number: 'a number', list: 'a list of at least one text' } as const;

function isOperand(value: unknown, wants: 'text' | 'number' | 'list'): boolean {
  if (wants === 'text') return typeof value === 'string' && value !== '';
  if (wants === 'number')
    return typeof value === 'number' ? Number.isFinite(value) : /^-?\d+(\.\d+)?$/.test(String(value));
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && each !== '');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
