/**
 * `node terraform/schema/extract.ts`: writes `google-<version>.json`, the schema of every google resource and data source
 * that a .tf file here names, in the format of `terraform providers schema -json`. Run it after using a new resource type.
 *
 * The source is the last package that carries the provider's schema in the npm registry, `@cdktf/provider-google`
 * (31 MB, which is why it is neither a dependency nor in the lock file: it is fetched for this run and thrown away).
 * It does not tell "optional and computed" from "optional"; where the registry of Terraform can be reached, the same
 * file comes from `terraform providers schema -json`.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = '@cdktf/provider-google@16.12.1';
const here = import.meta.dirname;

interface Attribute {
  readonly type: unknown;
  required?: true;
  optional?: true;
  computed?: true;
  /** The values the provider's documentation lists; not part of Terraform's own format. */
  values?: readonly string[];
}
interface Block {
  readonly attributes: Record<string, Attribute>;
  readonly block_types: Record<string, NestedBlock>;
}
interface NestedBlock {
  readonly nesting_mode: 'list' | 'set' | 'single';
  readonly block: Block;
  min_items?: 1;
  max_items?: 1;
}

const types: Record<string, unknown> = {
  string: 'string',
  number: 'number',
  boolean: 'bool',
  stringList: ['list', 'string'],
  numberList: ['list', 'number'],
  stringMap: ['map', 'string'],
};

/** The google types that a .tf file names in a `resource` or `data` block. */
async function typesInUse(): Promise<{ resource: string[]; data: string[] }> {
  const found = { resource: new Set<string>(), data: new Set<string>() };
  for (const file of await readdir(join(here, '..'))) {
    if (!file.endsWith('.tf')) continue;
    const text = await readFile(join(here, '..', file), 'utf8');
    for (const [, kind, type = ''] of text.matchAll(/^(resource|data) "(google_\w+)"/gm))
      found[kind === 'data' ? 'data' : 'resource'].add(type);
  }
  return { resource: [...found.resource].sort(), data: [...found.data].sort() };
}

/** One resource's bindings: the JavaScript names each attribute in Terraform's spelling, the types say what is required. */
class Bindings {
  readonly #js: string;
  readonly #types: string;

  constructor(js: string, typeText: string) {
    this.#js = js;
    this.#types = typeText;
  }

  get version(): string {
    return /providerVersion: '([\d.]+)'/.exec(this.#js)?.[1] ?? '';
  }

  block(resourceClass: string): Block {
    const body = this.#between(`class ${resourceClass} extends`, '\n}\n');
    const attributes = this.#between('    synthesizeHclAttributes() {', '\n    }\n', body);
    const block = this.#inputs(attributes, `${resourceClass}Config`, /this\._(\w+)/);
    this.#addComputed(block, body);
    return block;
  }

  #nested(mapper: string, type: string): Block {
    const body = this.#between(`function ${mapper}(struct) {`, '\n}\n');
    const block = this.#inputs(body, type, /struct\.(\w+)/);
    if (this.#js.includes(`class ${type}OutputReference extends`))
      this.#addComputed(block, this.#between(`class ${type}OutputReference extends`, '\n}\n'));
    return block;
  }

  #inputs(body: string, type: string, property: RegExp): Block {
    const block: Block = { attributes: {}, block_types: {} };
    const members = this.#between(`export interface ${type} `, '\n}\n', this.#types);
    const entries = body.matchAll(
      /^ +(\w+): \{\n +value: (.+),\n +isBlock: (true|false),\n +type: "(\w+)",\n +storageClassType: "(\w+)",\n/gm,
    );
    for (const [, name = '', value = '', isBlock, nesting, storage = ''] of entries) {
      const camel = property.exec(value)?.[1] ?? '';
      const declared = new RegExp(`(?:/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*)?readonly ${camel}(?:Attribute)?(\\?)?:`).exec(
        members,
      );
      if (declared === null) throw new Error(`${type}.${camel} is not declared`);
      const isRequired = declared[2] !== '?';
      if (isBlock === 'false' || types[storage] !== undefined) {
        const listed = /Possible values: \[([^\]]+)\]/.exec(declared[1] ?? '')?.[1];
        const values = listed === undefined ? [] : Array.from(listed.matchAll(/"([^"]+)"/g), ([, each = '']) => each);
        const plain = types[storage];
        block.attributes[name] = {
          type: nesting === 'set' && Array.isArray(plain) ? ['set', plain[1]] : plain,
          ...(isRequired ? { required: true } : { optional: true }),
          // A resource's own id; a nested block's "id" is an argument like any other.
          ...(name === 'id' && !isRequired && { computed: true }),
          ...(values.length > 0 && { values }),
        };
        continue;
      }
      const mapper = /(\w+ToHclTerraform)/.exec(value)?.[1] ?? '';
      const isMany = value.includes('listMapperHcl');
      block.block_types[name] = {
        nesting_mode: nesting === 'struct' ? 'single' : nesting === 'set' ? 'set' : 'list',
        block: this.#nested(
          mapper,
          mapper.slice(0, -'ToHclTerraform'.length).replace(/^./, (c) => c.toUpperCase()),
        ),
        ...(isRequired && { min_items: 1 }),
        ...(!isMany && nesting !== 'struct' && { max_items: 1 }),
      };
    }
    return block;
  }

  /** What the provider alone fills in: attributes that can be read and not set. */
  #addComputed(block: Block, body: string): void {
    for (const [, kind, name = ''] of body.matchAll(
      /this\.get(String|Number|Boolean|List)Attribute\(['"](\w+)['"]\)/g,
    )) {
      if (block.attributes[name] !== undefined || block.block_types[name] !== undefined) continue;
      const type = { String: 'string', Number: 'number', Boolean: 'bool', List: ['list', 'string'] }[kind ?? ''];
      block.attributes[name] = { type, computed: true };
    }
    for (const [, kind = '', name = ''] of body.matchAll(/new ([\w.]+)\(this, "(\w+)"/g)) {
      if (block.attributes[name] !== undefined || block.block_types[name] !== undefined) continue;
      const type = kind.endsWith('StringMap')
        ? ['map', 'string']
        : kind.endsWith('List')
          ? ['list', ['map', 'string']]
          : undefined;
      if (type !== undefined) block.attributes[name] = { type, computed: true };
    }
  }

  #between(start: string, end: string, text = this.#js): string {
    const from = text.indexOf(start);
    if (from < 0) throw new Error(`"${start}" is not in the bindings`);
    return text.slice(from, text.indexOf(end, from) + 1);
  }
}

async function main(): Promise<void> {
  const inUse = await typesInUse();
  const folder = await mkdtemp(join(tmpdir(), 'kobi-schema-'));
  try {
    await run('npm', ['pack', '--silent', source], { cwd: folder });
    const [archive = ''] = await readdir(folder);
    const read = async (type: string, prefix: string): Promise<{ version: string; schema: object }> => {
      const directory = prefix + type.replaceAll('_', '-').replace(/^google-/, '');
      const at = `package/lib/${directory}`;
      await run('tar', ['xzf', archive, `${at}/index.js`, `${at}/index.d.ts`], { cwd: folder });
      const js = await readFile(join(folder, at, 'index.js'), 'utf8');
      const bindings = new Bindings(js, await readFile(join(folder, at, 'index.d.ts'), 'utf8'));
      const [, resourceClass = ''] = /\n(\w+)\.tfResourceType = /.exec(js) ?? [];
      return { version: bindings.version, schema: { version: 0, block: bindings.block(resourceClass) } };
    };
    const resources: Record<string, object> = {};
    const dataSources: Record<string, object> = {};
    let version = '';
    for (const type of inUse.resource) {
      const found = await read(type, '');
      ({ version } = found);
      resources[type] = found.schema;
    }
    for (const type of inUse.data) dataSources[type] = (await read(type, 'data-google-')).schema;
    const schema = {
      format_version: '1.0',
      provider: 'registry.terraform.io/hashicorp/google',
      provider_version: version,
      source,
      resource_schemas: resources,
      data_source_schemas: dataSources,
    };
    for (const old of await readdir(here)) if (old.endsWith('.json')) await rm(join(here, old));
    await writeFile(join(here, `google-${version}.json`), `${JSON.stringify(schema)}\n`);
    process.stdout.write(
      `google-${version}.json: ${inUse.resource.length} resource types, ${inUse.data.length} data sources\n`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
