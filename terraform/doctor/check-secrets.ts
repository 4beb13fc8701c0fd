import { secretName } from '../../shared/domain/naming.ts';
import type { SecretStore } from '../../shared/gcp/secret-store.ts';
import { ok, told, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

/** Where a person finds each value. */
const origin: Readonly<Record<string, string>> = {
  [secretName.appSecret]: 'Meta app dashboard, App settings › Basic › App secret',
  [secretName.parentToken]: "Kobi's Business Manager, System users › the admin › Generate token, never expiring",
  [secretName.connectStateKey]: 'openssl rand -base64 48',
  [secretName.webhookVerifyToken]: 'openssl rand -hex 32',
};

/** What goes without, and what that means. */
const withoutIt: Readonly<Record<string, string>> = {
  [secretName.alertWebhook]: 'none, so alerts are sent to nobody; they stand in Firestore',
};

/** Every secret of the platform, not of a tenant, that the manifests name: there, enabled, and not empty. */
export async function checkSecrets(
  secrets: Pick<SecretStore, 'latest'>,
  names: readonly string[],
  projectId: string,
): Promise<Finding[]> {
  return Promise.all(
    names.map(async (name): Promise<Finding> => {
      const subject = `secret ${name}`;
      const mend =
        `printf %s "$VALUE" | gcloud secrets versions add ${name} --project ${projectId} --data-file=-` +
        ` (the value: ${origin[name] ?? 'see terraform/GO-LIVE.md'})`;
      try {
        const version = await secrets.latest(name);
        const without = withoutIt[name];
        if (version === undefined && without !== undefined) return ok(subject, without);
        if (version === undefined) return wrong(subject, 'has no version that may be read', mend);
        if (version.value.trim() === '') return wrong(subject, `version ${version.version} is empty`, mend);
        return ok(subject, `version ${version.version}`);
      } catch (error) {
        return wrong(
          subject,
          `cannot be read: ${told(error)}`,
          `Whoever runs the doctor needs roles/secretmanager.secretAccessor on ${name}.`,
        );
      }
    }),
  );
}
