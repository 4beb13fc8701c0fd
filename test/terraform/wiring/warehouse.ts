/** The warehouse: its tables as the code knows them, and who may read and write them. */
import { schemaOf } from '../../../shared/gcp/warehouse/bigquery-warehouse.ts';
import { reportingDataset, stagingDataset, warehouseTables } from '../../../shared/gcp/warehouse/tables.ts';
import { accountIn, blocks, compare, differences } from './expectation.ts';
import type { Expectations } from './expectation.ts';
import { text } from '../value.ts';
import type { Plan } from '../configuration.ts';

const dayMs = 86_400_000;

export function warehouse(plan: Plan, { manifests }: Expectations): string[] {
  const users = manifests.filter((manifest) => manifest.warehouse !== undefined);
  const writers = users.filter((manifest) => manifest.warehouse === 'write');
  const rightsOn = (name: string): string[] =>
    plan
      .of('google_bigquery_dataset_iam_member', name)
      .map(({ values }) => `${accountIn(values)} ${text(values['role'])} ${text(values['dataset_id'])}`);
  const datasetOf = (name: string) => plan.of('google_bigquery_dataset', name)[0]?.values ?? {};
  const columns = (fields: unknown): string[] =>
    (fields as { name: string; type: string; mode: string }[]).map(({ mode, name, type }) => `${name} ${type} ${mode}`);
  const made = plan.of('google_bigquery_table', 'reporting');
  return [
    ...manifests
      .filter(({ variables, warehouse: use }) => variables.includes('BIGQUERY_LOCATION') !== (use !== undefined))
      .map(({ name }) => `${name}: who reads BIGQUERY_LOCATION says what it does with the warehouse, and nobody else`),
    ...differences('dataset of reports', datasetOf('reporting'), { dataset_id: reportingDataset }),
    ...differences('dataset on the way', datasetOf('staging'), {
      dataset_id: stagingDataset,
      default_table_expiration_ms: dayMs,
    }),
    ...compare(
      'tables',
      made.map(({ values }) => `${text(values['dataset_id'])}.${text(values['table_id'])}`),
      warehouseTables.map(({ name }) => `${reportingDataset}.${name}`),
    ),
    ...made.flatMap(({ address, key, values }) => {
      const table = warehouseTables.find(({ name }) => name === key);
      const [partitions] = blocks(values, 'time_partitioning');
      return [
        ...compare(
          `columns of ${address}`,
          columns(JSON.parse(text(values['schema']))),
          table === undefined ? [] : columns(schemaOf(table)),
        ),
        ...differences(`partitions of ${address}`, partitions ?? {}, { type: 'DAY', field: 'date' }),
        ...differences(address, values, { deletion_protection: true }),
        ...compare(`clusters of ${address}`, values['clustering'] as string[], ['tenant_id', 'report', 'account_id']),
      ];
    }),
    ...compare(
      'who may use the reports',
      rightsOn('reporting'),
      users.map(({ name, warehouse: use }) => {
        const role = use === 'write' ? 'roles/bigquery.dataEditor' : 'roles/bigquery.dataViewer';
        return `${name} ${role} ${reportingDataset}`;
      }),
    ),
    ...compare(
      'who may stage rows',
      rightsOn('staging'),
      writers.map(({ name }) => `${name} roles/bigquery.dataEditor ${stagingDataset}`),
    ),
    ...compare(
      'who may run jobs in BigQuery',
      plan
        .of('google_project_iam_member', 'warehouse_jobs')
        .map(({ values }) => `${accountIn(values)} ${text(values['role'])}`),
      users.map(({ name }) => `${name} roles/bigquery.jobUser`),
    ),
  ];
}
