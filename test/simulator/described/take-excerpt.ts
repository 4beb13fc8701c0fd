/**
 * `node test/simulator/described/take-excerpt.ts DIRECTORY`: writes `graph.json` anew from Meta's own machine-readable
 * description of the Graph API (the `api_specs/specs` of github.com/facebook/facebook-business-sdk-codegen): of every edge
 * the simulator serves on a catalog or product set, the parameters; of every object it answers with there, the fields.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { describedEdges, describedObjects, nodeNames, notServed } from './described-edges.ts';
import type { Excerpt } from './described-edges.ts';

const field = v.object({ name: v.string(), type: v.string() });
const node = v.object({
  apis: v.array(
    v.object({
      method: v.string(),
      endpoint: v.optional(v.string(), ''),
      params: v.array(v.object({ ...field.entries, required: v.optional(v.boolean(), false) })),
    }),
  ),
  fields: v.array(field),
});
const enums = v.array(v.object({ name: v.string(), values: v.array(v.string()) }));

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('say where the descriptions are');
const read = async <Schema extends v.GenericSchema>(name: string, schema: Schema): Promise<v.InferOutput<Schema>> =>
  v.parse(schema, JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')));

const enumValues = new Map((await read('enum_types', enums)).map(({ name, values }) => [name, values]));
const excerpt: Excerpt = { edges: {}, objects: {} };
for (const { key, edge, method, on } of describedEdges()) {
  const { apis } = await read(nodeNames[on], node);
  const found = apis.find((api) => api.method === method && api.endpoint === edge);
  if (found === undefined) throw new Error(`${key} is not described`);
  excerpt.edges[key] = Object.fromEntries(
    found.params
      .filter(({ name }) => !notServed.has(name))
      .map(({ name, required, type }) => {
        const named = [...enumValues.keys()].find((each) => new RegExp(`\\b${each}\\b`).test(type));
        const values = named === undefined ? undefined : enumValues.get(named)?.toSorted();
        return [
          name,
          { type: named === undefined ? type : type.replace(named, 'enum'), required, ...(values && { values }) },
        ];
      }),
  );
}
for (const name of describedObjects.keys()) {
  excerpt.objects[name] = (await read(name, node)).fields.map((each) => each.name).toSorted();
}
await writeFile(new URL('graph.json', import.meta.url), `${JSON.stringify(excerpt, null, 1)}\n`);
