import { connectFirestore } from '../../../shared/gcp/firestore.ts';
import { IssueStore } from '../../../shared/gcp/issue-store.ts';
import { openSecrets } from '../../../shared/gcp/open-secrets.ts';
import { PersonStore } from '../../../shared/gcp/person-store.ts';
import { systemNow } from '../../../shared/runtime/clock.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import type { HttpFunctionOptions } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import type { WebhookServices } from './services.ts';

/** Everything Meta's calls are answered with, built on the first of them and kept for the instance's life. */
export function liveWebhook(functionName: string): {
  readonly host: Omit<HttpFunctionOptions, 'routes'>;
  readonly services: WebhookServices;
} {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'PUBLIC_BASE_URL', 'LOG_LEVEL', 'SECRET_MANAGER_EMULATOR_HOST']);
  const projectId = config.GOOGLE_CLOUD_PROJECT;
  const now = systemNow;
  const db = connectFirestore(projectId);
  const secrets = openSecrets({ projectId, emulatorHost: config.SECRET_MANAGER_EMULATOR_HOST, db, now });
  const credentials = createTenantCredentials({ secrets });
  return {
    host: { projectId, log: createLogger({ level: config.LOG_LEVEL, functionName }) },
    services: {
      issues: new IssueStore(db, now),
      persons: new PersonStore(db, now),
      secrets,
      appSecret: () => credentials.appSecret(),
      baseUrl: `${config.PUBLIC_BASE_URL}/${functionName}`,
    },
  };
}
