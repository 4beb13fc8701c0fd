import type { IssueStore } from '../../../shared/gcp/issue-store.ts';
import type { PersonStore } from '../../../shared/gcp/person-store.ts';
import type { SecretStore } from '../../../shared/gcp/secret-store.ts';

/** What Meta's own calls are answered with. */
export interface WebhookServices {
  readonly issues: Pick<IssueStore, 'record'>;
  readonly persons: Pick<PersonStore, 'tenantsOf' | 'markDeauthorized' | 'readRequest' | 'openRequest' | 'carryOut'>;
  readonly secrets: Pick<SecretStore, 'latest' | 'destroyAll'>;
  /** Signs what Meta sends. */
  readonly appSecret: () => Promise<string>;
  /** The function's own public address. */
  readonly baseUrl: string;
}
