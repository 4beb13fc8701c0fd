/**
 * Reads a folder of Terraform files and works out what they declare: every instance of every resource with its arguments,
 * as `terraform plan` would, without a provider. What only the provider knows is shown as `‹address.attribute›`.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from './hcl.ts';
import { evaluate, prepare } from './expression.ts';
import type { Scope } from './expression.ts';
import { argumentProblems, readProviderSchema } from './schema.ts';
import type { BlockSchema, ProviderSchema } from './schema.ts';
import { EvaluationError, asText, entriesOf, isObject, shown, text } from './value.ts';
import type { Value, Values } from './value.ts';

type Raw = Readonly<Record<string, unknown>>;

/** One resource or data source as it will be: `google_pubsub_topic.topic["capi-events"]`. */
export interface Instance {
  readonly address: string;
  readonly mode: 'managed' | 'data';
  readonly type: string;
  readonly name: string;
  readonly key: string | undefined;
  readonly values: Values;
}

export interface Plan {
  readonly instances: readonly Instance[];
  readonly outputs: Values;
  of(type: string, name?: string): readonly Instance[];
  one(address: string): Instance;
}

/** The configuration does not hold together; every problem is listed. */
class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The Terraform configuration is not right:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** A folder's files, parsed: what is declared, before anything is evaluated. */
export interface Configuration {
  readonly folder: string;
  readonly variables: ReadonlyMap<string, Raw>;
  readonly locals: ReadonlyMap<string, unknown>;
  readonly outputs: ReadonlyMap<string, Raw>;
  /** By `type.name` and `data.type.name`. */
  readonly resources: ReadonlyMap<string, { readonly mode: 'managed' | 'data'; readonly raw: Raw }>;
  readonly terraform: Raw;
}

/** @throws ConfigurationError for a file that is no HCL and for what is declared twice. */
export async function readConfiguration(folder: string): Promise<Configuration> {
  const problems: string[] = [];
  const variables = new Map<string, Raw>();
  const locals = new Map<string, unknown>();
  const outputs = new Map<string, Raw>();
  const resources = new Map<string, { mode: 'managed' | 'data'; raw: Raw }>();
  let terraform: Raw = {};
  const once = <T>(map: Map<string, T>, name: string, value: T, file: string): void => {
    if (map.has(name)) problems.push(`${file}: ${name} is declared twice`);
    map.set(name, value);
  };
  for (const file of (await readdir(folder)).filter((each) => each.endsWith('.tf')).sort()) {
    let parsed: Raw;
    try {
      parsed = await parse(file, await readFile(join(folder, file), 'utf8'));
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    await prepare(parsed);
    for (const block of (parsed['locals'] ?? []) as Raw[])
      for (const [name, value] of Object.entries(block)) once(locals, name, value, file);
    for (const [name, [block]] of blocksIn(parsed['variable'])) once(variables, name, block, file);
    for (const [name, [block]] of blocksIn(parsed['output'])) once(outputs, name, block, file);
    for (const [type, named] of Object.entries((parsed['resource'] ?? {}) as Raw))
      for (const [name, [raw]] of blocksIn(named)) once(resources, `${type}.${name}`, { mode: 'managed', raw }, file);
    for (const [type, named] of Object.entries((parsed['data'] ?? {}) as Raw))
      for (const [name, [raw]] of blocksIn(named)) once(resources, `data.${type}.${name}`, { mode: 'data', raw }, file);
    const [settings] = (parsed['terraform'] ?? []) as Raw[];
    if (settings !== undefined) terraform = settings;
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { folder, variables, locals, outputs, resources, terraform };
}

function blocksIn(value: unknown): [string, [Raw]][] {
  return Object.entries((value ?? {}) as Record<string, [Raw]>);
}

/** Values of a `.tfvars` file. */
export async function readVariables(path: string): Promise<Values> {
  const parsed = (await parse('values.tf', await readFile(path, 'utf8'))) as Raw;
  return parsed as Values;
}

/** Arguments that are unknown, missing or of the wrong kind by the provider's schema, in every block. */
export function checkArguments({ resources }: Configuration, schema: ProviderSchema): string[] {
  return [...resources].flatMap(([address, { mode, raw }]) => {
    const type = address.split('.').at(-2) ?? '';
    const block = (mode === 'data' ? schema.data_source_schemas : schema.resource_schemas)[type]?.block;
    if (block === undefined)
      return [`${address}: ${type} is not in terraform/schema; write it with node terraform/schema/extract.ts`];
    return argumentProblems(raw, block, address);
  });
}

/** Provider-made attributes whose value is certain before anything exists. */
function certainAttribute(instance: Instance, attribute: string, projectId: string): Value | undefined {
  if (instance.type === 'google_service_account') {
    const email = `${text(instance.values['account_id'])}@${projectId}.iam.gserviceaccount.com`;
    if (attribute === 'email') return email;
    if (attribute === 'member') return `serviceAccount:${email}`;
  }
  if (instance.type === 'google_project_iam_custom_role' && attribute === 'name')
    return `projects/${projectId}/roles/${text(instance.values['role_id'])}`;
  if (instance.type === 'google_project' && attribute === 'number') return '123456789012';
  return undefined;
}

/**
 * Works out every instance.
 *
 * @throws ConfigurationError listing every variable, expression and validation that does not hold.
 */
export function plan(configuration: Configuration, given: Values, schema = readProviderSchema()): Plan {
  return new Planner(configuration, given, schema).plan();
}

class Planner {
  readonly #configuration: Configuration;
  readonly #schema: ProviderSchema;
  readonly #variables: Record<string, Value> = {};
  readonly #locals = new Map<string, Value>();
  readonly #busy = new Set<string>();
  /** What has no value: told once, whoever asks for it. */
  readonly #failed = new Map<string, EvaluationError>();
  readonly #told = new Set<EvaluationError>();
  readonly #instances = new Map<string, Value>();
  readonly #known = new WeakMap<object, { instance: Instance; block: BlockSchema; path: string }>();
  readonly #all: Instance[] = [];
  readonly #problems: string[] = [];

  constructor(configuration: Configuration, given: Values, schema: ProviderSchema) {
    this.#configuration = configuration;
    this.#schema = schema;
    for (const name of Object.keys(given))
      if (!configuration.variables.has(name)) this.#problems.push(`variable ${name}: given, and not declared`);
    for (const [name, { default: fallback, validation }] of configuration.variables) {
      const value = given[name] ?? (fallback as Value | undefined);
      if (value === undefined) this.#problems.push(`variable ${name}: no value and no default`);
      else this.#variables[name] = value;
      for (const rule of (validation ?? []) as Raw[])
        this.#attempt(`variable ${name}`, () => {
          if (evaluate(rule['condition'], this.#scope()) !== true)
            throw new EvaluationError(asText(evaluate(rule['error_message'], this.#scope())));
        });
    }
  }

  plan(): Plan {
    for (const address of this.#configuration.resources.keys()) this.#attempt(address, () => this.#resource(address));
    const outputs: Record<string, Value> = {};
    for (const [name, { value }] of this.#configuration.outputs)
      this.#attempt(`output ${name}`, () => void (outputs[name] = evaluate(value, this.#scope())));
    if (this.#problems.length > 0) throw new ConfigurationError([...new Set(this.#problems)]);
    const all = this.#all;
    return {
      instances: all,
      outputs,
      of: (type, name) => all.filter((each) => each.type === type && (name === undefined || each.name === name)),
      one: (address) => {
        const found = all.find((each) => each.address === address);
        if (found === undefined) throw new ConfigurationError([`${address} is not declared`]);
        return found;
      },
    };
  }

  #attempt(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      if (this.#told.has(error)) return;
      this.#told.add(error);
      this.#problems.push(`${what}: ${error.message}`);
    }
  }

  #scope(names: Readonly<Record<string, Value>> = {}): Scope {
    return {
      names,
      declared: (path) => this.#declared(path),
      member: (of, key) => this.#member(of, key),
    };
  }

  #declared(path: readonly string[]): { value: Value; used: number } {
    const [head = '', second = '', third = ''] = path;
    if (head === 'var') {
      const value = this.#variables[second];
      if (value === undefined) throw new EvaluationError(`there is no variable ${second}`);
      return { value, used: 2 };
    }
    if (head === 'local') return { value: this.#local(second), used: 2 };
    if (head === 'path') return { value: this.#configuration.folder, used: 2 };
    if (head === 'data') return { value: this.#resource(`data.${second}.${third}`), used: 3 };
    return { value: this.#resource(`${head}.${second}`), used: 2 };
  }

  #local(name: string): Value {
    const known = this.#locals.get(name);
    if (known !== undefined) return known;
    if (!this.#configuration.locals.has(name)) throw new EvaluationError(`there is no local.${name}`);
    return this.#once(`local.${name}`, () => {
      const value = evaluate(this.#configuration.locals.get(name), this.#scope());
      this.#locals.set(name, value);
      return value;
    });
  }

  #once<T>(what: string, work: () => T): T {
    if (this.#busy.has(what)) throw new EvaluationError(`${what} depends on itself`);
    const failure = this.#failed.get(what);
    if (failure !== undefined) throw failure;
    this.#busy.add(what);
    try {
      return work();
    } catch (error) {
      if (error instanceof EvaluationError) this.#failed.set(what, error);
      throw error;
    } finally {
      this.#busy.delete(what);
    }
  }

  /** A resource as an expression sees it: one object, or objects by key. */
  #resource(address: string): Value {
    const known = this.#instances.get(address);
    if (known !== undefined) return known;
    const declared = this.#configuration.resources.get(address);
    if (declared === undefined) throw new EvaluationError(`${address} is not declared`);
    const { mode, raw } = declared;
    const [name = '', type = ''] = address.split('.').toReversed();
    const schemas = mode === 'data' ? this.#schema.data_source_schemas : this.#schema.resource_schemas;
    const block = schemas[type]?.block ?? { attributes: {}, block_types: {} };
    return this.#once(address, () => {
      const make = (key: string | undefined, names: Record<string, Value>): Values => {
        const at = key === undefined ? address : `${address}[${JSON.stringify(key)}]`;
        try {
          const values = this.#block(raw, block, names);
          const instance: Instance = { address: at, mode, type, name, key, values };
          this.#note(values, block, { instance, block, path: at });
          this.#all.push(instance);
          return values;
        } catch (error) {
          if (error instanceof EvaluationError && key !== undefined && !error.message.startsWith('['))
            throw new EvaluationError(`[${JSON.stringify(key)}] ${error.message}`);
          throw error;
        }
      };
      let value: Value;
      if (raw['count'] !== undefined) throw new EvaluationError('count is not known here; for_each has stable keys');
      if (raw['for_each'] === undefined) value = make(undefined, {});
      else {
        const collection = evaluate(raw['for_each'], this.#scope());
        if (Array.isArray(collection)) throw new EvaluationError('for_each takes a map or a set, not a list');
        value = Object.fromEntries(
          entriesOf(collection).map(([key, each]) => [
            String(key),
            make(String(key), { each: { key: String(key), value: each } }),
          ]),
        );
      }
      this.#instances.set(address, value);
      return value;
    });
  }

  /** A block's arguments; blocks as lists of objects, `dynamic` ones expanded. */
  #block(raw: Raw, schema: BlockSchema, names: Record<string, Value>): Values {
    const values: Record<string, Value> = {};
    for (const [name, value] of Object.entries(raw)) {
      if (['for_each', 'depends_on', 'lifecycle', 'dynamic', 'provider'].includes(name)) continue;
      const nested = schema.block_types[name];
      values[name] =
        nested !== undefined && Array.isArray(value)
          ? (value as Raw[]).map((block) => this.#block(block, nested.block, names))
          : evaluate(value, this.#scope(names));
    }
    for (const [name, blocks] of Object.entries((raw['dynamic'] ?? {}) as Record<string, Raw[]>)) {
      const nested = schema.block_types[name]?.block ?? { attributes: {}, block_types: {} };
      const [dynamic = {}] = blocks;
      const [content = {}] = (dynamic['content'] ?? []) as Raw[];
      values[name] = entriesOf(evaluate(dynamic['for_each'], this.#scope(names))).map(([key, value]) =>
        this.#block(content, nested, { ...names, [name]: { key, value } }),
      );
    }
    return values;
  }

  #note(values: Values, block: BlockSchema, known: { instance: Instance; block: BlockSchema; path: string }): void {
    this.#known.set(values, known);
    for (const [name, nested] of Object.entries(block.block_types)) {
      const blocks = values[name];
      if (!Array.isArray(blocks)) continue;
      for (const [index, each] of (blocks as readonly Values[]).entries())
        this.#note(each, nested.block, { ...known, block: nested.block, path: `${known.path}.${name}[${index}]` });
    }
  }

  #member(of: Value, key: Value): Value {
    if (typeof of === 'object' && of !== null) {
      const known = this.#known.get(of);
      if (known !== undefined) return this.#attribute(of as Values, asText(key), known);
    }
    const found = Array.isArray(of)
      ? (of as readonly Value[])[Number(key)]
      : isObject(of) && Object.hasOwn(of, asText(key))
        ? of[asText(key)]
        : undefined;
    if (found !== undefined) return found;
    // What is only known later has parts that are only known later.
    if (typeof of === 'string' && of.startsWith('‹')) return `${of.slice(0, -1)}.${asText(key)}›`;
    throw new EvaluationError(`${shown(of)} has no "${asText(key)}"`);
  }

  #attribute(
    values: Values,
    name: string,
    { instance, block, path }: { instance: Instance; block: BlockSchema; path: string },
  ): Value {
    const given = values[name];
    if (given !== undefined) return given;
    const attribute = block.attributes[name];
    if (attribute === undefined) throw new EvaluationError(`${path} has no attribute "${name}"`);
    // The schema does not tell "optional" from "optional and computed": what is not set may still be known later.
    if (attribute.required) return null;
    return certainAttribute(instance, name, text(this.#variables['project_id'])) ?? `‹${path}.${name}›`;
  }
}
