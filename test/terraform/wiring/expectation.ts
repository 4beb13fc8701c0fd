/** What all expectations of the wiring are written with. */
import type { FunctionManifest } from '../../../shared/contracts/function-manifest.ts';
import type { IndexFile } from '../../local/google/firestore/indexes.ts';
import type { Instance } from '../configuration.ts';
import { text } from '../value.ts';
import type { Value, Values } from '../value.ts';

export interface Expectations {
  readonly manifests: readonly FunctionManifest[];
  readonly indexes: IndexFile;
  readonly projectId: string;
  /** The account that deploys, and then asks tenant-api whether it is well. */
  readonly deployer: string;
}

export const projectNumber = '123456789012';
export const agent = (service: string): string =>
  `serviceAccount:service-${projectNumber}@gcp-sa-${service}.iam.gserviceaccount.com`;

export function usesTasks({ variables }: FunctionManifest): boolean {
  return variables.includes('TASKS_SERVICE_ACCOUNT');
}

export function idOf(type: string, key: string): string {
  return `‹${type}.topic["${key}"].id›`;
}

export function keysOf(instances: readonly Instance[]): string[] {
  return instances.map(({ key }) => key ?? '');
}

export function blocks(values: Values, name: string): readonly Values[] {
  return (values[name] ?? []) as readonly Values[];
}

/** `capi-relay` for the function's own account; the whole member otherwise. */
export function accountIn(values: Values): string {
  const member = text(values['member']);
  return /^serviceAccount:([\w-]+)@(?!gcp-sa)[\w-]+\.iam\.gserviceaccount\.com$/.exec(member)?.[1] ?? member;
}

export function shortRole(values: Values): string {
  return text(values['role']).replace(/^projects\/[^/]+\/roles\//, '');
}

export function conditionOf(values: Values): string {
  const [condition] = blocks(values, 'condition');
  return text(condition?.['expression'] ?? 'without a condition');
}

/** What one of two sets has and the other has not. */
export function compare(what: string, made: readonly string[], expected: readonly string[]): string[] {
  const [has, wants] = [new Set(made), new Set(expected)];
  return [
    ...[...wants].filter((each) => !has.has(each)).map((each) => `${what}: ${each} is missing`),
    ...[...has]
      .filter((each) => !wants.has(each))
      .map((each) => `${what}: ${each} is there, and no manifest asks for it`),
  ];
}

export function differences(what: string, values: Values, expected: Readonly<Record<string, Value>>): string[] {
  return Object.entries(expected)
    .filter(([name, value]) => (values[name] ?? null) !== value)
    .map(
      ([name, value]) =>
        `${what}: ${name} is ${JSON.stringify(values[name] ?? null)}, expected ${JSON.stringify(value)}`,
    );
}
