/** Secrets, and each function's rights to them. */
import type { FunctionManifest } from '../../../shared/contracts/function-manifest.ts';
import { secretNotificationTopic } from '../../../shared/contracts/topics.ts';
import { accountIn, blocks, compare, conditionOf, differences, idOf, projectNumber, shortRole } from './expectation.ts';
import type { Expectations } from './expectation.ts';
import { text } from '../value.ts';
import type { Plan } from '../configuration.ts';

const roleOfUse: Readonly<Record<string, string>> = {
  read: 'roles/secretmanager.secretAccessor',
  add: 'roles/secretmanager.secretVersionAdder',
  retire: 'kobiSecretVersionRetirer',
  list: 'kobiSecretVersionLister',
  create: 'kobiSecretCreator',
};

/** A manifest's uses of secrets, each as `[secret, use]`. */
export function secretUsesOf({ secrets: ids, secretUses = {} }: FunctionManifest): [string, string][] {
  return ids.flatMap((id) => (secretUses[id] ?? ['read']).map((use): [string, string] => [id, use]));
}

export function secrets(plan: Plan, { manifests }: Expectations): string[] {
  const problems: string[] = [];
  for (const { name, secrets: ids, secretUses = {} } of manifests)
    for (const id of Object.keys(secretUses))
      if (!ids.includes(id)) problems.push(`${name}: secretUses names ${id}, which is not among its secrets`);
  const uses = manifests.flatMap((manifest) =>
    secretUsesOf(manifest).map(([id, use]) => ({ name: manifest.name, id, use })),
  );
  const platform = uses.filter(({ id }) => !id.includes('{tenant}'));
  const made = plan.of('google_secret_manager_secret');
  problems.push(
    ...compare(
      'secrets',
      made.map(({ values }) => text(values['secret_id'])),
      [...new Set(platform.map(({ id }) => id))],
    ),
    ...compare(
      'rights to single secrets',
      plan
        .of('google_secret_manager_secret_iam_member')
        .map(({ values }) => `${accountIn(values)} ${shortRole(values)} ${text(values['secret_id'])}`),
      platform.map(({ name, id, use }) => `${name} ${roleOfUse[use]} ${id}`),
    ),
    ...compare(
      'rights to the secrets of tenants',
      plan
        .of('google_project_iam_member', 'tenant_secrets')
        .map(({ values }) => `${accountIn(values)} ${shortRole(values)} ${conditionOf(values)}`),
      uses
        .filter(({ id, use }) => id.includes('{tenant}') && use !== 'create')
        .map(({ name, id, use }) => `${name} ${roleOfUse[use]} ${secretCondition(id)}`),
    ),
    ...compare(
      'who may create secrets',
      plan
        .of('google_project_iam_member', 'secret_creators')
        .map(({ values }) => `${accountIn(values)} ${shortRole(values)}`),
      [...new Set(uses.filter(({ use }) => use === 'create').map(({ name }) => `${name} ${roleOfUse['create']}`))],
    ),
  );
  for (const { address, values } of made) {
    const [topic] = blocks(values, 'topics');
    problems.push(...differences(address, topic ?? {}, { name: idOf('google_pubsub_topic', secretNotificationTopic) }));
  }
  return problems;
}

/** True for the secrets of that name, whatever the tenant, and their versions; for nothing else. */
function secretCondition(id: string): string {
  const [before = '', after = ''] = id.split('{tenant}');
  const name = `projects/${projectNumber}/secrets/${before}`;
  return `resource.name.startsWith("${name}") && (resource.name.endsWith("${after}") || resource.name.extract("/secrets/{name}/versions/").endsWith("${after}"))`;
}
