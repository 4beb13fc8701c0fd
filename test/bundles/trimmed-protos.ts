/**
 * What Google's clients bring of their services' definitions is whole packages: administration, long-running operations,
 * annotations of other languages. Before a client's first call protobufjs builds and encodes all of it, so a bundle gets
 * only the package that is called, and what its messages can hold.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';
import protobuf from 'protobufjs';
import type { INamespace, NamespaceBase, ReflectionObject } from 'protobufjs';

/** The package of a client whose calls we make, by the npm package that brings its definitions. */
export const calledPackages: Readonly<Record<string, string>> = {
  '@google-analytics/data': 'google.analytics.data.v1beta',
  '@google-cloud/firestore-api': 'google.firestore.v1',
  '@google-cloud/pubsub': 'google.pubsub.v1',
  '@google-cloud/pubsub-api': 'google.pubsub.v1',
  '@google-cloud/secret-manager': 'google.cloud.secretmanager.v1',
  '@google-cloud/tasks': 'google.cloud.tasks.v2',
};
const definitions = /[\\/]node_modules[\\/](@google-[^\\/]+[\\/][^\\/]+)[\\/]build[\\/]protos[\\/]protos\.json$/;

/** @throws when a package is bundled that nobody has named the calls of */
export const trimmedProtos: Plugin = {
  name: 'trimmed-protos',
  setup(bundling) {
    bundling.onLoad({ filter: definitions }, async ({ path }) => {
      const npmPackage = definitions.exec(path)?.[1]?.replace('\\', '/') ?? '';
      const called = calledPackages[npmPackage];
      if (called === undefined)
        throw new Error(`${npmPackage} is bundled, and ${import.meta.filename} does not name it`);
      const whole = JSON.parse(await readFile(path, 'utf8')) as INamespace;
      return { loader: 'json', contents: JSON.stringify(trimmed(whole, called)) };
    });
  },
};

/** A package, and every type of others that its messages can hold, as deep as they go. */
export function trimmed(definition: INamespace, packageName: string): INamespace {
  const root = protobuf.Root.fromJSON(structuredClone(definition));
  root.resolveAll();
  const kept = new Set<ReflectionObject>();
  const keep = (object: ReflectionObject | null): void => {
    if (object === null || kept.has(object)) return;
    kept.add(object);
    if (object instanceof protobuf.Service) {
      for (const method of object.methodsArray) {
        keep(method.resolvedRequestType);
        keep(method.resolvedResponseType);
      }
    }
    if (object instanceof protobuf.Type) for (const field of object.fieldsArray) keep(field.resolvedType);
    // Kept as it is, so what its own fields hold must be there, too.
    if (object.parent instanceof protobuf.Type) keep(object.parent);
  };
  const called = root.lookup(packageName);
  if (!(called instanceof protobuf.Namespace)) throw new Error(`there is no package ${packageName}`);
  // Its messages that no call names are looked up by name: what a long-running operation tells.
  for (const object of allIn(called)) keep(object);
  return only(definition, root, kept) ?? {};
}

function allIn(space: NamespaceBase): ReflectionObject[] {
  return space.nestedArray.flatMap((each) => (each instanceof protobuf.Namespace ? [each, ...allIn(each)] : [each]));
}

/** The part of a definition that is kept, or holds what is. */
function only(
  definition: INamespace,
  object: ReflectionObject,
  kept: ReadonlySet<ReflectionObject>,
): INamespace | undefined {
  if (!(object instanceof protobuf.Namespace)) return kept.has(object) ? definition : undefined;
  const nested = Object.entries(definition.nested ?? {}).flatMap(([name, each]) => {
    const part = object.get(name);
    const left = part === null ? undefined : only(each, part, kept);
    return left === undefined ? [] : [[name, left] as const];
  });
  if (nested.length === 0 && !kept.has(object)) return undefined;
  return { ...definition, ...(definition.nested && { nested: Object.fromEntries(nested) }) };
}
