/**
 * What Google's clients run when they are loaded or first called and our functions never ask for: message classes for data
 * that is not sent over gRPC, descriptions for reflection, clients of other services. It stays in the bundle, or lies beside
 * it, and is run by the first look at it, which spares a cold start a good part of the processor time that Firestore's client takes.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** Message classes of the clients, two megabytes of text for Firestore's alone: a start would feel it being read. */
const messageClasses = [
  String.raw`@google-cloud/(?:firestore-api|pubsub|pubsub-api|secret-manager)/build/protos/protos`,
  String.raw`@google-analytics/data/build/protos/protos`,
  String.raw`google-gax/build/protos/(?:iam_service|locations|operations)`,
];
/** All CommonJS modules whose exports are looked at by name only, later or never. */
const lazyModulePaths = [
  ...messageClasses,
  String.raw`@google-cloud/firestore-api/build/src/v1/firestore_admin_client`,
  String.raw`@google-cloud/firestore/build/protos/firestore_v1_proto_api`,
  String.raw`google-gax/build/src/(?:fallback|iamService|locationService)`,
  String.raw`protobufjs/ext/descriptor/index`,
];
const lazy = inModules(lazyModulePaths);
const apart = inModules(messageClasses);

function inModules(paths: readonly string[]): RegExp {
  return new RegExp(String.raw`node_modules[\\/](${paths.join('|').replaceAll('/', String.raw`[\\/]`)})\.js$`);
}

/** The file beside a bundle's code that holds such a module; undefined for every other. @param path of the module */
export function fileApart(path: string): string | undefined {
  const [, module] = apart.exec(path) ?? [];
  return (
    module &&
    `${module
      .replace(/^@/, '')
      .replace(/[\\/]build[\\/]protos/, '')
      .replaceAll(/[\\/]/g, '-')}.cjs`
  );
}

/** Lines that look at them at once, and what does the same when it is needed. */
const rewritten: readonly { readonly file: RegExp; readonly lines: readonly (readonly [string, string])[] }[] = [
  {
    file: /node_modules\/@google-cloud\/firestore\/build\/src\/serializer\.js$/,
    lines: [
      [
        'var Value = firestore_v1_proto_api_1.google.firestore.v1.Value;',
        'const Value = { fromObject: (value) => firestore_v1_proto_api_1.google.firestore.v1.Value.fromObject(value) };',
      ],
    ],
  },
  {
    // A name for each definition, to know it again: its text is one, without hashing it.
    file: /node_modules\/google-gax\/build\/src\/grpc\.js$/,
    lines: [
      ['const object_hash_1 = __importDefault(require("object-hash"));', ''],
      [
        'const hash = (0, object_hash_1.default)(JSON.stringify(json)).toString();',
        'const hash = JSON.stringify(json);',
      ],
    ],
  },
  {
    // REST instead of gRPC, which no client of ours is told to use.
    file: /node_modules\/google-gax\/build\/src\/index\.js$/,
    lines: [
      [
        'exports.protobufFromJSON = fallback.protobufFromJSON;',
        'exports.protobufFromJSON = (json) => fallback.protobufFromJSON(json);',
      ],
    ],
  },
  {
    // Descriptions of every message for gRPC's reflection service, which a client has none of.
    file: /node_modules\/@grpc\/proto-loader\/build\/src\/index\.js$/,
    lines: [
      ["const messageDescriptor = message.toDescriptor('proto3');", ''],
      ['type: messageDescriptor.$type.toObject(messageDescriptor, descriptorOptions),', 'type: {},'],
      ["const enumDescriptor = enumType.toDescriptor('proto3');", ''],
      ['type: enumDescriptor.$type.toObject(enumDescriptor, descriptorOptions),', 'type: {},'],
      ["const descriptorList = root.toDescriptor('proto3').file;", 'const descriptorList = [];'],
    ],
  },
  {
    // A client of another service, whose definitions are built with it.
    file: /node_modules\/@google-cloud\/(firestore-api|secret-manager)\/build\/src\/v1\/(firestore|secret_manager_service)_client\.js$/,
    lines: [
      [
        'this.locationsClient = new this._gaxModule.LocationsClient(this._gaxGrpc, opts);',
        `let locations;
        Object.defineProperty(this, 'locationsClient', {
            get: () => (locations ??= new this._gaxModule.LocationsClient(this._gaxGrpc, opts)),
        });`,
      ],
    ],
  },
  {
    file: /node_modules\/@google-cloud\/firestore-api\/build\/src\/index\.js$/,
    lines: [
      ['const FirestoreAdminClient = v1.FirestoreAdminClient;', ''],
      [
        'exports.FirestoreAdminClient = FirestoreAdminClient;',
        "Object.defineProperty(exports, 'FirestoreAdminClient', { enumerable: true, get: () => v1.FirestoreAdminClient });",
      ],
      ['exports.default = { v1, FirestoreAdminClient, FirestoreClient };', 'exports.default = exports;'],
      [
        'exports.protos = exports.FirestoreClient = exports.FirestoreAdminClient = exports.v1 = void 0;',
        'exports.protos = exports.FirestoreClient = exports.v1 = void 0;',
      ],
    ],
  },
];

/** @throws when a line is not there: another version of the package, whose lines must be looked at again */
export const lazyModules: Plugin = {
  name: 'lazy-modules',
  setup(bundling) {
    const { outdir, outfile = '' } = bundling.initialOptions;
    const folder = outdir ?? dirname(outfile);
    bundling.onLoad({ filter: lazy }, async ({ path }) => {
      const code = (await readFile(path, 'utf8')).replace(/^"use strict";\n/, '');
      const file = fileApart(path);
      if (file === undefined) return { loader: 'js', contents: runLater(code) };
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, file), `module.exports = (module, exports, require) => {\n${code}\n};\n`);
      return { loader: 'js', contents: runLater(runFile(file, code)) };
    });
    for (const { file, lines } of rewritten) {
      bundling.onLoad({ filter: file }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const [line, instead] of lines) {
          if (!contents.includes(line)) throw new Error(`${path} has no line "${line}" any more`);
          contents = contents.replace(line, instead);
        }
        return { loader: 'js', contents };
      });
    }
  },
};

/** `__esModule` is answered without running it: TypeScript's code asks for that to tell how to import it. */
function runLater(code: string): string {
  return `let loaded;
const load = () => {
  if (loaded !== undefined) return loaded;
  const module = { exports: {} };
  (function (module, exports) {
${code}
  })(module, module.exports);
  return (loaded = module.exports);
};
module.exports = new Proxy({}, {
  get: (_none, name) => (name === '__esModule' ? true : load()[name]),
  has: (_none, name) => name in load(),
  ownKeys: () => Reflect.ownKeys(load()),
  getOwnPropertyDescriptor: (_none, name) => {
    const own = Reflect.getOwnPropertyDescriptor(load(), name);
    return own && { ...own, configurable: true };
  },
});
`;
}

/** Runs a module that lies in a file of its own, with what it requires from the bundle. */
function runFile(file: string, code: string): string {
  const required = new Set(Array.from(code.matchAll(/require\("([^"]+)"\)/g), ([, name = '']) => name));
  const members = [...required].map((name) => `${JSON.stringify(name)}: () => require(${JSON.stringify(name)})`);
  return `const required = { ${members.join(', ')} };
require('node:module').createRequire(__filename)(${JSON.stringify(`./${file}`)})(module, exports, (name) => required[name]());`;
}
