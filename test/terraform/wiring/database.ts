/** The database, its indexes, and who may use it. */
import { databaseId } from '../../../shared/contracts/documents.ts';
import { accountIn, blocks, compare, conditionOf, differences } from './expectation.ts';
import type { Expectations } from './expectation.ts';
import { text } from '../value.ts';
import type { Plan } from '../configuration.ts';

export function database(plan: Plan, { manifests, indexes, projectId }: Expectations): string[] {
  const [instance] = plan.of('google_firestore_database');
  const condition = `resource.name == "projects/${projectId}/databases/${databaseId}"`;
  return [
    ...differences('database', instance?.values ?? {}, {
      name: databaseId,
      type: 'FIRESTORE_NATIVE',
      point_in_time_recovery_enablement: 'POINT_IN_TIME_RECOVERY_ENABLED',
      delete_protection_state: 'DELETE_PROTECTION_ENABLED',
    }),
    ...compare(
      'who may use the database',
      plan
        .of('google_project_iam_member', 'firestore')
        .map(({ values }) => `${accountIn(values)} ${text(values['role'])} ${conditionOf(values)}`),
      manifests.map(({ name }) => `${name} roles/datastore.user ${condition}`),
    ),
    ...compare(
      'composite indexes',
      plan.of('google_firestore_index').map(({ values }) => {
        const fields = blocks(values, 'fields').map(
          (field) => `${text(field['field_path'])} ${text(field['order'] ?? field['array_config'])}`,
        );
        return `${text(values['collection'])} ${text(values['query_scope'])} (${fields.join(', ')})`;
      }),
      indexes.indexes.map(({ collectionGroup, queryScope, fields }) => {
        const named = fields.map((field) => `${field.fieldPath} ${'order' in field ? field.order : field.arrayConfig}`);
        return `${collectionGroup} ${queryScope} (${named.join(', ')})`;
      }),
    ),
    ...compare(
      'fields with indexes of their own, or with an end',
      plan.of('google_firestore_field').map(({ values }) => {
        const [config] = blocks(values, 'index_config');
        const ends = blocks(values, 'ttl_config').length > 0;
        const own = blocks(config ?? {}, 'indexes').map(
          (each) => `${text(each['query_scope'])} ${text(each['order'] ?? each['array_config'])}`,
        );
        return `${text(values['collection'])}.${text(values['field'])} [${own.join(', ')}]${ends ? ' expires' : ''}`;
      }),
      indexes.fieldOverrides.map(({ collectionGroup, fieldPath, indexes: own, ttl = false }) => {
        const named = own.map((each) => `${each.queryScope} ${'order' in each ? each.order : each.arrayConfig}`);
        return `${collectionGroup}.${fieldPath} [${named.join(', ')}]${ttl ? ' expires' : ''}`;
      }),
    ),
  ];
}
