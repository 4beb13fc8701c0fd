import type { TenantRecords } from '../../../shared/gcp/tenant-records.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import { readPage } from '../../../shared/meta/pages.ts';
import { OutcomeError } from '../../../shared/runtime/outcomes.ts';
import type { CheckServices } from './services.ts';

/**
 * Where a tenant went live without an Instagram account: one look a day whether its Page has one by now. Then
 * `link-page-and-instagram` runs again, and nothing else does. What Meta does not say is asked tomorrow.
 */
export async function takeInInstagram(
  { assets, isPageBacked, pageId, tenantId }: TenantRecords,
  { credentials, deliver, graph, reopen }: Pick<CheckServices, 'credentials' | 'deliver' | 'graph' | 'reopen'>,
  traceparent: string,
): Promise<void> {
  if (!isPageBacked || pageId === null) return;
  try {
    const page = await readPage(graph.as(await credentials.operator(tenantId, assets.operator)), pageId);
    if (page.instagram === undefined) return;
  } catch (error) {
    if (error instanceof GraphError || error instanceof OutcomeError) return;
    throw error;
  }
  const ref = { tenantId, runId: assets.runId, step: 'link-page-and-instagram' } as const;
  const reopened = await reopen(ref, 'the Page has an Instagram account now', 'drift-check', traceparent);
  await deliver(reopened?.messages ?? []);
}
