import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { Field, INamespace, Root } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../local/manifests.ts';
import { calledPackages, trimmed } from './trimmed-protos.ts';

async function definitionOf(npmPackage: string): Promise<INamespace> {
  const path = join(repositoryRoot, 'node_modules', npmPackage, 'build', 'protos', 'protos.json');
  return JSON.parse(await readFile(path, 'utf8')) as INamespace;
}

function servicesOf(definition: INamespace, packageName: string): Map<string, protobuf.Service> {
  const root: Root = protobuf.Root.fromJSON(structuredClone(definition));
  root.resolveAll();
  const { nestedArray } = root.lookup(packageName) as protobuf.Namespace;
  return new Map(nestedArray.flatMap((each) => (each instanceof protobuf.Service ? [[each.name, each] as const] : [])));
}

/** A message in which everything is said that can be, some levels deep. */
function filled(type: protobuf.Type, levels: number): Record<string, unknown> {
  const entries = type.fieldsArray.flatMap((field) => {
    const value = valueOf(field.resolve(), levels);
    if (value === undefined) return [];
    if (field.map) return [[field.name, { key: value }] as const];
    return [[field.name, field.repeated ? [value] : value] as const];
  });
  return Object.fromEntries(entries);
}

function valueOf({ resolvedType, type }: Field, levels: number): unknown {
  if (resolvedType instanceof protobuf.Type) return levels === 0 ? undefined : filled(resolvedType, levels - 1);
  if (resolvedType instanceof protobuf.Enum) return Object.values(resolvedType.values).at(-1);
  if (type === 'string') return 'text';
  if (type === 'bytes') return Buffer.from('bytes');
  return type === 'bool' ? true : 7;
}

describe.each(Object.entries(calledPackages))('the definitions of %s', (npmPackage, packageName) => {
  it('once trimmed have every call, and each can carry and answer all it could before', async () => {
    const definition = await definitionOf(npmPackage);
    const left = trimmed(definition, packageName);
    const before = servicesOf(definition, packageName);
    const after = servicesOf(left, packageName);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, service] of before) {
      for (const method of service.methodsArray) {
        const same = after.get(name)?.methods[method.name];
        for (const kind of ['resolvedRequestType', 'resolvedResponseType'] as const) {
          const [whole, trim] = [method[kind], same?.[kind]];
          if (whole == null || trim == null) throw new Error(`${name}.${method.name} has no ${kind}`);
          const bytes = whole.encode(whole.fromObject(filled(whole, 3))).finish();
          expect(trim.encode(trim.decode(bytes)).finish(), `${name}.${method.name} ${kind}`).toEqual(bytes);
          expect(trim.toObject(trim.decode(bytes)), `${name}.${method.name} ${kind}`).toEqual(
            whole.toObject(whole.decode(bytes)),
          );
        }
      }
    }
    expect(JSON.stringify(left).length).toBeLessThan(JSON.stringify(definition).length);
  });
});

it('a package that is not there is refused: its name is wrong', async () => {
  const definition = await definitionOf('@google-cloud/tasks');
  expect(() => trimmed(definition, 'google.cloud.tasks.v9')).toThrow('there is no package google.cloud.tasks.v9');
});
