import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { DriftStore } from '../../../shared/gcp/drift-store.ts';
import type { IssueStore } from '../../../shared/gcp/issue-store.ts';
import type { TenantChanges } from '../../../shared/gcp/tenant-changes.ts';
import type { TenantRecords } from '../../../shared/gcp/tenant-records.ts';
import type { LookServices } from './look-at.ts';

/** What a tenant is compared with the help of. */
export interface CheckServices extends LookServices {
  readonly store: Pick<DriftStore, 'read' | 'record' | 'postpone' | 'forget'>;
  /** What is recorded of a live tenant; undefined for one that is not live (any more). */
  readonly recordsOf: (tenantId: string) => Promise<TenantRecords | undefined>;
  /** Has the Page and Instagram linked anew; undefined where that run is over. */
  readonly reopen: TenantChanges['reopen'];
  readonly issues: Pick<IssueStore, 'open' | 'record'>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  readonly now: () => Date;
}
