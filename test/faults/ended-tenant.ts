/** What may be left of a tenant that has come to its end. */
import type { EmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import type { Simulator } from '../simulator/server.ts';

/** Whatever at Meta could still spend Kobi's money, in words; empty when nothing can. */
export function nothingCanSpend({ store }: Simulator): string[] {
  return [
    ...store
      .all('ad_account')
      .filter(({ spendCapMinor }) => spendCapMinor !== 100n)
      .map(({ id, spendCapMinor }) => `${id} is capped at ${spendCapMinor}`),
    ...store
      .all('campaign')
      .filter(({ status }) => status === 'ACTIVE')
      .map(({ id }) => `campaign ${id} is active`),
    ...store.all('credit_allocation').map(({ id }) => `credit allocation ${id} is in force`),
    ...store
      .all('ad_account')
      .filter(({ subscribedAppIds }) => subscribedAppIds.size > 0)
      .map(({ id }) => `${id} still sends webhooks`),
  ];
}

/** The tenant's secrets that still have a version somebody could read. */
export function usableSecrets(secretManager: Pick<EmbeddedSecretManager, 'dump'>, tenantId: string): string[] {
  return secretManager
    .dump()
    .filter(({ name, versions }) => name.includes(tenantId) && versions.some(({ state }) => state !== 'DESTROYED'))
    .map(({ name }) => name);
}
