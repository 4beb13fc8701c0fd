import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { AlertStore } from '../../../shared/gcp/alert-store.ts';
import type { DriftStore } from '../../../shared/gcp/drift-store.ts';
import type { IssueStore } from '../../../shared/gcp/issue-store.ts';
import type { ReadinessStore } from '../../../shared/gcp/readiness-store.ts';
import type { RelayKeyStore } from '../../../shared/gcp/relay-key-store.ts';
import type { RelaySettingsStore } from '../../../shared/gcp/relay-settings-store.ts';
import type { RunControl } from '../../../shared/gcp/run-control.ts';
import type { TeardownStore } from '../../../shared/gcp/teardown-store.ts';
import type { TenantEnding } from '../../../shared/gcp/tenant-ending.ts';
import type { TenantChanges } from '../../../shared/gcp/tenant-changes.ts';
import type { TenantStore } from '../../../shared/gcp/tenant-store.ts';
import type { ResumeLinks } from '../../../shared/runtime/resume-links.ts';

/** What the API works with. */
export interface TenantServices {
  readonly tenants: Pick<TenantStore, 'create' | 'acceptTerms' | 'read' | 'list'>;
  readonly steps: Pick<RunControl, 'readSteps' | 'wake' | 'adopt' | 'skip' | 'waitingFor'>;
  readonly readiness: Pick<ReadinessStore, 'read' | 'set' | 'slotsInUse'>;
  readonly changes: Pick<TenantChanges, 'change' | 'reopen'>;
  readonly relayKeys: Pick<RelayKeyStore, 'issue' | 'list' | 'revoke' | 'rotate'>;
  readonly relaySettings: Pick<RelaySettingsStore, 'read' | 'change'>;
  /** What Meta told about the tenant's ads. */
  readonly issues: Pick<IssueStore, 'open'>;
  /** Where Meta has something else than we recorded. */
  readonly drift: Pick<DriftStore, 'read' | 'accept'>;
  readonly alerts: Pick<AlertStore, 'ofTenant' | 'snooze'>;
  readonly ending: Pick<TenantEnding, 'cancel' | 'offboard'>;
  readonly teardowns: Pick<TeardownStore, 'read'>;
  readonly closeRelay: (
    tenantId: string,
    options: { readonly at: string; readonly forGood: boolean },
  ) => Promise<unknown>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** A signed address that starts this tenant's connection, for the portal to hand to its logged-in client. */
  readonly connectUrl: (tenantId: string) => Promise<string>;
  /** An address at which the client says that it did what a step waits for. */
  readonly resumeUrl: ResumeLinks['urlFor'];
  /** What does not hold in a tenant's audit trail. */
  readonly auditProblems: (tenantId: string) => Promise<string[]>;
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Uint8Array;
}
