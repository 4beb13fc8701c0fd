import { readConfig } from '../../../shared/runtime/config.ts';

/** Deletes the tenant's rows in BigQuery. Its client is loaded here and now: of all messages, one in the life of a tenant. */
export async function eraseReports(tenantId: string): Promise<void> {
  const config = readConfig(['GOOGLE_CLOUD_PROJECT', 'BIGQUERY_LOCATION', 'BIGQUERY_EMULATOR_HOST']);
  const { createBigQueryWarehouse } = await import('../../../shared/gcp/warehouse/bigquery-warehouse.ts');
  const warehouse = createBigQueryWarehouse({
    projectId: config.GOOGLE_CLOUD_PROJECT,
    location: config.BIGQUERY_LOCATION,
    emulatorHost: config.BIGQUERY_EMULATOR_HOST,
  });
  await warehouse.erase(tenantId);
}
