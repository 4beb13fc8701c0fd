/** Least privilege over everything Terraform would make: each right is one of a known few, and as narrow as it can be. */
import type { FunctionManifest } from '../../shared/contracts/function-manifest.ts';
import type { Instance, Plan } from './configuration.ts';
import { text } from './value.ts';
import type { Values } from './value.ts';

/** Every role that may be given, on what, and why it is not less. A role that is not here is refused. */
const allowedRoles: Readonly<Record<string, { readonly on: readonly string[]; readonly why: string }>> = {
  'roles/run.invoker': { on: ['cloud_run_service'], why: 'calls one function' },
  'roles/pubsub.publisher': { on: ['pubsub_topic'], why: 'publishes to one topic' },
  'roles/pubsub.subscriber': { on: ['pubsub_subscription'], why: 'Pub/Sub moves what it gave up on' },
  'roles/cloudtasks.enqueuer': { on: ['cloud_tasks_queue'], why: 'puts tasks into one queue' },
  'roles/iam.serviceAccountUser': { on: ['service_account'], why: 'names the account of its tasks' },
  'roles/iam.serviceAccountTokenCreator': { on: ['service_account'], why: 'Pub/Sub signs its pushes' },
  'roles/secretmanager.secretAccessor': {
    on: ['secret_manager_secret', 'project if'],
    why: 'reads secrets of one name',
  },
  'roles/secretmanager.secretVersionAdder': { on: ['secret_manager_secret', 'project if'], why: 'adds versions' },
  'roles/datastore.user': { on: ['project if'], why: 'reads and writes one database' },
  'roles/storage.objectViewer': { on: ['storage_bucket', 'project if'], why: 'reads bundles' },
  'roles/artifactregistry.writer': { on: ['artifact_registry_repository'], why: 'stores images of functions' },
  'roles/logging.logWriter': { on: ['project'], why: 'logs of builds; there is nothing smaller than a project' },
  'roles/logging.bucketWriter': { on: ['project if'], why: 'the sink of audit logs writes to its bucket' },
  'roles/bigquery.dataEditor': { on: ['bigquery_dataset'], why: 'writes the tables of one dataset' },
  'roles/bigquery.dataViewer': { on: ['bigquery_dataset'], why: 'reads the tables of one dataset' },
  'roles/bigquery.jobUser': { on: ['project'], why: 'runs queries and loads; jobs belong to a project' },
  'roles/telemetry.tracesWriter': { on: ['project'], why: 'writes spans; there is nothing smaller than a project' },
  'roles/iap.httpsResourceAccessor': { on: ['iap_web_backend_service'], why: 'opens one page behind IAP' },
  kobiSecretCreator: { on: ['project'], why: 'creating is asked of the project, where no name can be a condition' },
  kobiSecretVersionLister: { on: ['secret_manager_secret', 'project if'], why: 'sees the states of versions' },
  kobiSecretVersionRetirer: { on: ['secret_manager_secret', 'project if'], why: 'ends versions' },
};

/** What our own roles may hold. */
const allowedPermissions: readonly string[] = [
  'secretmanager.secrets.create',
  'secretmanager.versions.destroy',
  'secretmanager.versions.disable',
  'secretmanager.versions.list',
];

const anybody = new Set(['allUsers', 'allAuthenticatedUsers']);

/** Every right that is too wide, every key and every open door, with what would be right. */
export function policyProblems(plan: Plan, manifests: readonly FunctionManifest[]): string[] {
  return plan.instances.flatMap((instance) => [
    ...rightProblems(instance, manifests),
    ...roleProblems(instance),
    ...resourceProblems(instance),
  ]);
}

function rightProblems({ address, type, values }: Instance, manifests: readonly FunctionManifest[]): string[] {
  const [, resource = '', how] = /^google_(\w+)_iam_(member|binding|policy)$/.exec(type) ?? [];
  if (how === undefined) return [];
  if (how !== 'member')
    return [`${address}: a ${how} takes away rights that others were given; use google_${resource}_iam_member`];
  const problems: string[] = [];
  const role = text(values['role']).replace(/^projects\/[^/]+\/roles\//, '');
  const isConditional = ((values['condition'] ?? []) as readonly Values[]).length > 0;
  const allowed = allowedRoles[role];
  if (/^roles\/(owner|editor|viewer)$/.test(role)) problems.push(`${address}: ${role} is a basic role over everything`);
  else if (allowed === undefined)
    problems.push(
      `${address}: ${role} is none of the roles this module gives; add it to test/terraform/policy.ts with a reason`,
    );
  else if (!allowed.on.includes(resource) && !(isConditional && allowed.on.includes(`${resource} if`))) {
    const fit = allowed.on.map((each) => (each === 'project if' ? 'a project under a condition' : each)).join(' or ');
    problems.push(
      `${address}: ${role} is given on a ${resource}${isConditional ? '' : ' without a condition'}; it belongs on ${fit}`,
    );
  }
  const member = text(values['member']);
  if (anybody.has(member)) {
    const manifest = manifests.find(({ name }) => name === values['service']);
    if (resource !== 'cloud_run_service' || manifest?.callers !== 'public' || manifest.publicBecause === undefined)
      problems.push(
        `${address}: ${member} may only call functions whose manifest says public, and why (publicBecause)`,
      );
  }
  return problems;
}

function roleProblems({ address, type, values }: Instance): string[] {
  if (type !== 'google_project_iam_custom_role') return [];
  return ((values['permissions'] ?? []) as readonly string[])
    .filter((permission) => !allowedPermissions.includes(permission))
    .map(
      (permission) =>
        `${address}: "${permission}" is none of the permissions our own roles hold (test/terraform/policy.ts)`,
    );
}

function resourceProblems({ address, type, values }: Instance): string[] {
  if (/service_account_key|storage_hmac_key/.test(type))
    return [`${address}: keys in files get lost; nothing here needs one`];
  if (type === 'google_storage_bucket') {
    const problems: string[] = [];
    if (values['uniform_bucket_level_access'] !== true)
      problems.push(`${address}: uniform_bucket_level_access must be true`);
    if (values['public_access_prevention'] !== 'enforced')
      problems.push(`${address}: public_access_prevention must be "enforced"`);
    return problems;
  }
  if (type === 'google_secret_manager_secret_version')
    return [`${address}: a value would lie in the state; a person adds it`];
  return [];
}
