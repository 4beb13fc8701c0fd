/** Holds what a block sets against the provider's own schema (`terraform/schema/`): required, known, of the right kind. */
import { readFileSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from './value.ts';

export interface Attribute {
  readonly type: unknown;
  readonly required?: true;
  readonly optional?: true;
  readonly computed?: true;
  readonly values?: readonly string[];
}
export interface NestedBlock {
  readonly nesting_mode: 'list' | 'set' | 'single';
  readonly block: BlockSchema;
  readonly min_items?: 1;
  readonly max_items?: 1;
}
export interface BlockSchema {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly block_types: Readonly<Record<string, NestedBlock>>;
}
export interface ProviderSchema {
  readonly provider: string;
  readonly provider_version: string;
  readonly resource_schemas: Readonly<Record<string, { readonly block: BlockSchema }>>;
  readonly data_source_schemas: Readonly<Record<string, { readonly block: BlockSchema }>>;
}

const folder = join(import.meta.dirname, '..', '..', 'terraform', 'schema');

export function readProviderSchema(): ProviderSchema {
  const [file = ''] = globSync('google-*.json', { cwd: folder });
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as ProviderSchema;
}

/** Arguments of Terraform itself. */
const metaArguments = new Set(['for_each', 'count', 'depends_on', 'lifecycle', 'provider', 'dynamic']);

/**
 * What is wrong with the arguments of one block as hcl2json gives it (expressions unevaluated), each as
 * `path: what is wrong and what would be right`.
 */
export function argumentProblems(raw: Readonly<Record<string, unknown>>, schema: BlockSchema, path: string): string[] {
  const problems: string[] = [];
  const given = new Set(Object.keys(raw));
  for (const [name, value] of Object.entries(raw)) {
    if (metaArguments.has(name)) continue;
    const attribute = schema.attributes[name];
    const nested = schema.block_types[name];
    if (nested !== undefined) problems.push(...blockProblems(value, nested, `${path}.${name}`));
    else if (attribute === undefined)
      problems.push(`${path}.${name}: no such argument; there are ${settable(schema).join(', ')}`);
    else if (attribute.required === undefined && attribute.optional === undefined)
      problems.push(`${path}.${name}: only the provider sets it`);
    else problems.push(...valueProblems(value, attribute, `${path}.${name}`));
  }
  const dynamic = isObject(raw['dynamic']) ? (raw['dynamic'] as Record<string, unknown>) : {};
  for (const [name, blocks] of Object.entries(dynamic)) {
    given.add(name);
    const nested = schema.block_types[name];
    if (nested === undefined) problems.push(`${path}.${name}: no such block; there are ${settable(schema).join(', ')}`);
    else
      for (const block of asBlocks(blocks))
        problems.push(...blockProblems(block['content'], nested, `${path}.${name}`));
  }
  for (const [name, { required }] of Object.entries(schema.attributes))
    if (required && !given.has(name)) problems.push(`${path}.${name}: required, and not there`);
  for (const [name, { min_items: min }] of Object.entries(schema.block_types))
    if (min !== undefined && !given.has(name)) problems.push(`${path}.${name}: a block of it is required`);
  return problems;
}

function blockProblems(value: unknown, nested: NestedBlock, path: string): string[] {
  const blocks = asBlocks(value);
  const problems = blocks.flatMap((block) => argumentProblems(block, nested.block, path));
  if (nested.max_items === 1 && blocks.length > 1)
    problems.push(`${path}: one block at most, there are ${blocks.length}`);
  return problems;
}

function asBlocks(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [(value ?? {}) as Record<string, unknown>];
}

function valueProblems(value: unknown, { type, values }: Attribute, path: string): string[] {
  if (value === null || (typeof value === 'string' && value.includes('${'))) return [];
  const kind = Array.isArray(type) ? (type as string[])[0] : type;
  const fits =
    kind === 'bool'
      ? typeof value === 'boolean'
      : kind === 'number'
        ? typeof value === 'number'
        : kind === 'list' || kind === 'set'
          ? Array.isArray(value)
          : kind === 'map'
            ? isObject(value)
            : typeof value !== 'object';
  if (!fits) return [`${path}: ${JSON.stringify(value)} is no ${String(kind)}`];
  if (values !== undefined && typeof value === 'string' && !values.includes(value))
    return [`${path}: "${value}" is none of ${values.join(', ')}`];
  return [];
}

function settable({ attributes, block_types: blocks }: BlockSchema): string[] {
  const names = Object.entries(attributes).filter(([, each]) => each.required ?? each.optional);
  return [...names.map(([name]) => name), ...Object.keys(blocks)].sort();
}
