/** Functions, the accounts they run as, and who may call them. */
import { readConfig, runtimeVariables } from '../../../shared/runtime/config.ts';
import type { VariableName } from '../../../shared/runtime/config.ts';
import { accountIn, agent, blocks, compare, differences, keysOf, usesTasks } from './expectation.ts';
import type { Expectations } from './expectation.ts';
import { text } from '../value.ts';
import type { Values } from '../value.ts';
import type { Plan } from '../configuration.ts';

export function accounts(plan: Plan, { manifests }: Expectations): string[] {
  const made = plan.of('google_service_account', 'function').map(({ values }) => text(values['account_id']));
  const names = manifests.map(({ name }) => name);
  return [
    ...compare('service accounts of functions', made, names),
    ...names
      .filter((name) => name.length > 30 || name.length < 6)
      .map((name) => `${name}: a service account's id has 6 to 30 characters, and it is the function's name`),
  ];
}

export function deployed(plan: Plan, { manifests, projectId }: Expectations): string[] {
  const functions = plan.of('google_cloudfunctions2_function');
  const problems = compare(
    'functions',
    keysOf(functions),
    manifests.map(({ name }) => name),
  );
  for (const manifest of manifests) {
    const instance = functions.find(({ key }) => key === manifest.name);
    if (instance === undefined) continue;
    const [build] = blocks(instance.values, 'build_config');
    const [service] = blocks(instance.values, 'service_config');
    const environment = (service?.['environment_variables'] ?? {}) as Values;
    const isFrontedByLoadBalancer = manifest.callers === 'public' || manifest.callers === 'iap';
    problems.push(
      ...differences(
        `function ${manifest.name}`,
        { ...build, ...service, name: instance.values['name'] ?? null },
        {
          name: manifest.name,
          runtime: 'nodejs24',
          entry_point: manifest.name,
          available_memory: `${manifest.memoryMiB}Mi`,
          timeout_seconds: manifest.timeoutSeconds,
          max_instance_request_concurrency: manifest.concurrency,
          service_account_email: `${manifest.name}@${projectId}.iam.gserviceaccount.com`,
          ingress_settings: isFrontedByLoadBalancer ? 'ALLOW_INTERNAL_AND_GCLB' : 'ALLOW_ALL',
        },
      ),
    );
    if (environment['TRACE_SAMPLE_RATIO'] === undefined)
      problems.push(`function ${manifest.name}: TRACE_SAMPLE_RATIO has no value, so that no trace would be recorded`);
    for (const name of manifest.variables)
      if (environment[name] === undefined && needsValue(name as VariableName))
        problems.push(`function ${manifest.name}: ${name} has no value (local.environment in functions.tf)`);
    for (const name of Object.keys(environment))
      if (
        !([...manifest.variables, ...runtimeVariables, 'NODE_COMPILE_CACHE'] as string[]).includes(name) ||
        name.endsWith('_EMULATOR_HOST')
      )
        problems.push(`function ${manifest.name}: ${name} is set, and its code does not read it in the cloud`);
    // Cloud Run shares a processor among requests only when it has a whole one.
    if (manifest.concurrency > 1 && Number(service?.['available_cpu']) < 1)
      problems.push(`function ${manifest.name}: concurrency ${manifest.concurrency} needs available_cpu of 1`);
  }
  return problems;
}

/** Whoever records spans may write them, and nobody where none are recorded. */
export function traces(plan: Plan, { manifests }: Expectations): string[] {
  const ratios = plan
    .of('google_cloudfunctions2_function')
    .map(({ values }) => blocks(values, 'service_config')[0]?.['environment_variables'] as Values);
  const areRecorded = ratios.some((environment) => text(environment['TRACE_SAMPLE_RATIO'] ?? '0') !== '0');
  return compare(
    'who may write spans',
    plan.of('google_project_iam_member', 'traces').map(({ values }) => `${accountIn(values)} ${text(values['role'])}`),
    areRecorded ? manifests.map(({ name }) => `${name} roles/telemetry.tracesWriter`) : [],
  );
}

export function invokers(plan: Plan, { manifests, projectId, deployer }: Expectations): string[] {
  const own = (id: string): string => `serviceAccount:${id}@${projectId}.iam.gserviceaccount.com`;
  const expected = manifests.flatMap((manifest) => {
    const { name, trigger, callers } = manifest;
    const members: string[] = [];
    if ('topic' in trigger) members.push(own('pubsub-push'));
    if ('schedule' in trigger) members.push(own('scheduler'));
    if (usesTasks(manifest) && 'topic' in trigger) members.push(own('delayed-retries'));
    if ('schedule' in trigger && trigger.runs === 'once-per-slot') members.push(own('delayed-retries'));
    if (name === 'tenant-api') members.push(`serviceAccount:${deployer}`);
    if (callers === 'public') members.push('allUsers');
    if (callers === 'iap') members.push(agent('iap'));
    return members.map((member) => `${name} by ${member}`);
  });
  const people = new Set(manifests.filter(({ callers }) => callers === 'iam').map(({ name }) => name));
  const bindings = plan.of('google_cloud_run_service_iam_member');
  const made = bindings
    .filter(({ name }) => name !== 'people')
    .map(({ values }) => `${text(values['service'])} by ${text(values['member'])}`);
  const problems = compare('callers', made, expected);
  const called = new Set(bindings.filter(({ name }) => name === 'people').map(({ values }) => text(values['service'])));
  problems.push(...compare('functions that people may call', [...called], [...people]));
  for (const { name, callers, publicBecause } of manifests)
    if ((callers === 'public') !== (publicBecause !== undefined))
      problems.push(`${name}: publicBecause says why anybody may call it, for public functions and no others`);
  return problems;
}

/** Whether the code refuses to start without it; local machines alone do without the account of tasks. */
function needsValue(name: VariableName): boolean {
  if (name === 'TASKS_SERVICE_ACCOUNT') return true;
  try {
    readConfig([name], {});
    return false;
  } catch {
    return true;
  }
}
