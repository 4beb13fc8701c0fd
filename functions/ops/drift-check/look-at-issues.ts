import type { TenantRecords } from '../../../shared/gcp/tenant-records.ts';
import { readEffectiveStatus } from '../../../shared/meta/ads.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { CheckServices } from './services.ts';

/**
 * Asks Meta for the state of each ad object with an open issue and records it as if Meta had told it: a healthy one ends
 * the issue. Meta tells by webhook that a state changed, and not to what. What it does not say now is asked tomorrow.
 */
export async function lookAtIssues(
  { assets, tenantId }: TenantRecords,
  { credentials, graph, issues, now }: Pick<CheckServices, 'credentials' | 'graph' | 'issues' | 'now'>,
): Promise<void> {
  for (const { adAccountId, objectId } of await issues.open(tenantId)) {
    try {
      const operator = graph.as(await credentials.operator(tenantId, assets.operator));
      const status = await readEffectiveStatus(operator, objectId);
      if (status === undefined) continue;
      const value = { id: objectId, effective_status: status };
      await issues.record([{ adAccountId, field: 'effective_status', at: now().toISOString(), value }]);
    } catch (error) {
      if (error instanceof OutcomeError) return;
      if (!(error instanceof GraphError)) throw error;
      // One object may be gone or of a kind without a state; when Meta does not answer, the others need not be asked.
      if (error.class !== 'not-found' && error.class !== 'config-bug') return;
    }
  }
}
