import type { Tenant } from '../../../shared/contracts/documents.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import type { PersonStore } from '../../../shared/gcp/person-store.ts';
import type { JobReport } from '../../../shared/runtime/scheduled-function.ts';
import { checkTenant } from './check-tenant.ts';
import type { Finding, TokenCheckServices } from './check-tenant.ts';

export interface TokenCheckDependencies extends TokenCheckServices {
  readonly persons: Pick<PersonStore, 'leftOver' | 'carryOut'>;
  readonly tenants: () => AsyncIterable<Tenant>;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Five tenants a second at most: two calls each are far from any limit of the app. */
const betweenTenantsMs = 200;
/** A deletion takes seconds; what is older was cut off. */
const deletionTakesMs = 10 * 60_000;
const deletionsPerRun = 50;
/** Less than the function's timeout; who was not reached is first in line an hour later. */
const budgetMs = 8 * 60_000;

/**
 * Checks the tokens of every tenant that is live or on its way, each once a day. One tenant's trouble does not keep the
 * others from being checked. Deletions that persons asked for and that were cut off are carried out first.
 */
export async function checkTokens(dependencies: TokenCheckDependencies): Promise<JobReport> {
  const { log, now, sleep, tenants } = dependencies;
  const counts: Record<Finding | 'unknown' | 'left', number> = {
    ok: 0,
    replaced: 0,
    expiring: 0,
    dead: 0,
    'scopes-missing': 0,
    skipped: 0,
    unknown: 0,
    left: 0,
  };
  const deletions = await finishDeletions(dependencies);
  const endMs = now().getTime() + budgetMs;
  for await (const tenant of tenants()) {
    if (tenant.status !== 'live' && tenant.status !== 'provisioning') continue;
    const finding = now().getTime() < endMs ? await findingOf(tenant, dependencies) : 'left';
    counts[finding] += 1;
    if (finding !== 'skipped' && finding !== 'left') await sleep(betweenTenantsMs);
  }
  if (counts.dead > 0) log.error({ dead: counts.dead }, 'tenants without a working token');
  return { ...counts, deletions };
}

/** Of one that fails again, the others do not hear. */
async function finishDeletions({ log, now, persons, secrets }: TokenCheckDependencies): Promise<number> {
  let finished = 0;
  for (const request of await persons.leftOver(new Date(now().getTime() - deletionTakesMs), deletionsPerRun)) {
    const { confirmationCode } = request;
    try {
      await persons.carryOut(request, (tenantId) => secrets.destroyAll(secretName.userToken(tenantId)));
      finished += 1;
      log.warn({ confirmationCode }, 'a deletion that was cut off is carried out');
    } catch (error) {
      log.error({ err: error, confirmationCode }, 'a deletion could not be carried out, tried again in an hour');
    }
  }
  return finished;
}

async function findingOf(tenant: Tenant, dependencies: TokenCheckDependencies): Promise<Finding | 'unknown'> {
  try {
    return await checkTenant(tenant, dependencies);
  } catch (error) {
    const facts = { err: error, tenantId: tenant.tenantId };
    if (error instanceof GraphError) dependencies.log.warn(facts, 'Meta cannot say, asked again by the next run');
    else dependencies.log.error(facts, 'the tokens of a tenant could not be checked');
    return 'unknown';
  }
}
