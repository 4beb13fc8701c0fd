/**
 * Plays the google provider for Terraform's own binary, so that it validates and plans where the registry cannot be
 * reached: it knows the provider's schema (`terraform/schema/`) and plans every resource as it is configured, with what
 * only Google knows unknown. Terraform finds it by TF_REATTACH_PROVIDERS, as a provider under debugging.
 */
import { join } from 'node:path';
import { Server, ServerCredentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { GrpcObject, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ExtData, decode, encode } from '@msgpack/msgpack';
import type { BlockSchema, ProviderSchema } from './schema.ts';

export interface StandInProvider {
  /** The environment under which Terraform uses it. */
  readonly environment: Readonly<Record<string, string>>;
  close(): void;
}

interface Call {
  readonly request: Record<string, { msgpack: Buffer } & string>;
}
type Answer = (error: null, answer: object) => void;
type Fields = Record<string, unknown>;

const nestingModes = { single: 1, list: 2, set: 3 } as const;
/** Terraform's mark for "known after apply". */
const unknown = new ExtData(0, Uint8Array.of(0));
const providerBlock: ProviderSchema['resource_schemas'][string]['block'] = {
  attributes: {
    project: { type: 'string', optional: true },
    region: { type: 'string', optional: true },
    default_labels: { type: ['map', 'string'], optional: true },
  },
  block_types: {},
};

/** Starts it on a free port of this machine. `known` gives attributes of data sources their values. */
export async function startStandInProvider(
  schema: ProviderSchema,
  known: Readonly<Record<string, Fields>>,
): Promise<StandInProvider> {
  const definition = loadSync(join(import.meta.dirname, 'tfplugin5.proto'), { keepCase: true });
  const { Provider } = (loadPackageDefinition(definition) as { tfplugin5: GrpcObject }).tfplugin5;
  const blockOf = (type: string): BlockSchema => schema.resource_schemas[type]?.block ?? providerBlock;

  const handlers: Record<string, (request: Call['request']) => object> = {
    GetSchema: () => ({
      provider: wireSchema(providerBlock),
      resource_schemas: wireSchemas(schema.resource_schemas),
      data_source_schemas: wireSchemas(schema.data_source_schemas),
    }),
    PrepareProviderConfig: ({ config }) => ({ prepared_config: config }),
    ValidateResourceTypeConfig: () => ({}),
    ValidateDataSourceConfig: () => ({}),
    Configure: () => ({}),
    PlanResourceChange: ({ type_name: type, proposed_new_state: proposed }) => ({
      planned_state: { msgpack: encode(planned(decode(proposed?.msgpack ?? []), blockOf(String(type)))) },
      // The real provider is of the same old kind; Terraform then tolerates what it would not of a new one.
      legacy_type_system: true,
    }),
    ReadDataSource: ({ type_name: type, config }) => ({
      state: { msgpack: encode({ ...(decode(config?.msgpack ?? []) as Fields), ...known[String(type)] }) },
    }),
    Stop: () => ({}),
  };
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(
    (Provider as ServiceClientConstructor).service,
    Object.fromEntries(
      Object.entries(handlers).map(([name, handle]) => [
        name,
        (call: Call, answer: Answer) => answer(null, handle(call.request)),
      ]),
    ),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const reattach = {
    [schema.provider]: {
      Protocol: 'grpc',
      ProtocolVersion: 5,
      Pid: process.pid,
      Test: true,
      Addr: { Network: 'tcp', String: `127.0.0.1:${port}` },
    },
  };
  return {
    environment: { TF_REATTACH_PROVIDERS: JSON.stringify(reattach), CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' },
    close: () => server.forceShutdown(),
  };
}

/** The proposed state with everything the provider fills in marked as unknown. */
function planned(value: unknown, block: BlockSchema): unknown {
  if (value === null || typeof value !== 'object') return value;
  const fields: Fields = { ...(value as Fields) };
  for (const [name, attribute] of Object.entries(block.attributes))
    if (attribute.computed === true && (fields[name] ?? null) === null) fields[name] = unknown;
  for (const [name, nested] of Object.entries(block.block_types)) {
    const inner = fields[name];
    if (Array.isArray(inner)) fields[name] = inner.map((each) => planned(each, nested.block));
    else if (inner !== null && inner !== undefined) fields[name] = planned(inner, nested.block);
  }
  return fields;
}

function wireSchemas(schemas: ProviderSchema['resource_schemas']): Record<string, object> {
  return Object.fromEntries(Object.entries(schemas).map(([type, { block }]) => [type, wireSchema(block)]));
}

function wireSchema(block: BlockSchema): object {
  return { version: 0, block: wireBlock(block) };
}

function wireBlock({ attributes, block_types: blocks }: BlockSchema): object {
  return {
    attributes: Object.entries(attributes).map(([name, { type, required, optional, computed }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required: required ?? false,
      optional: optional ?? false,
      computed: computed ?? false,
    })),
    block_types: Object.entries(blocks).map(([name, nested]) => ({
      type_name: name,
      block: wireBlock(nested.block),
      nesting: nestingModes[nested.nesting_mode],
      min_items: nested.min_items ?? 0,
      max_items: nested.max_items ?? 0,
    })),
  };
}
