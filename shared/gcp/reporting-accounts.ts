import type { Firestore } from '@google-cloud/firestore';
import { paths } from '../contracts/documents.ts';
import type { Tenant } from '../contracts/documents.ts';
import { collaborativeAccountSchema } from '../contracts/report-documents.ts';
import type { CollaborativeAccount } from '../contracts/report-documents.ts';
import type { OperatorKind } from '../domain/provisioning-path.ts';
import { openAuditStream } from './audit-trail.ts';
import { readDocument } from './firestore.ts';

/** An ad account of a tenant that is reported on. */
export interface ReportingAccount {
  /** `act_…` */
  readonly adAccountId: string;
  readonly isCollaborative: boolean;
  /** Whose token reads it. */
  readonly operator: OperatorKind;
}

/** A retailer's sales are reported on an ad account of their own, one for each retailer (Collaborative Ads). */
export class ReportingAccounts {
  readonly #db: Firestore;
  readonly #now: () => Date;

  constructor(options: { db: Firestore; now: () => Date }) {
    this.#db = options.db;
    this.#now = options.now;
  }

  /** The ad account a live tenant is operated with, and its accounts for Collaborative Ads. */
  async of({ assets, tenantId }: Pick<Tenant, 'assets' | 'tenantId'>): Promise<ReportingAccount[]> {
    if (assets === undefined) return [];
    const { adAccountId, operator } = assets;
    const shared = await this.collaborative(tenantId);
    return [
      { adAccountId, isCollaborative: false, operator },
      ...shared.map((each) => ({ adAccountId: each.adAccountId, isCollaborative: true, operator })),
    ];
  }

  async collaborative(tenantId: string): Promise<CollaborativeAccount[]> {
    const rows = await this.#db.collection(paths.collaborativeAccounts(tenantId)).get();
    return rows.docs.flatMap((row) => readDocument(row, collaborativeAccountSchema) ?? []);
  }

  /** Reports on the account from now on, as one that advertises this retailer's catalog. Audited. */
  async add(tenantId: string, account: CollaborativeAccount, by: string): Promise<void> {
    await this.#write(tenantId, account.adAccountId, { by, action: 'collaborative-account-added', account });
  }

  /** Reports on it no longer; what is stored stays. Audited; false when it was not reported on. */
  async remove(tenantId: string, adAccountId: string, by: string): Promise<boolean> {
    return this.#write(tenantId, adAccountId, { by, action: 'collaborative-account-removed' });
  }

  async #write(
    tenantId: string,
    adAccountId: string,
    change: { readonly by: string; readonly action: string; readonly account?: CollaborativeAccount },
  ): Promise<boolean> {
    const reference = this.#db.doc(paths.collaborativeAccount(tenantId, adAccountId));
    return this.#db.runTransaction(async (transaction) => {
      const known = readDocument(await transaction.get(reference), collaborativeAccountSchema);
      const { account, action, by } = change;
      if (known?.retailer === account?.retailer) return known !== undefined;
      const audit = await openAuditStream(transaction, this.#db, tenantId, 'tenant');
      if (account === undefined) transaction.delete(reference);
      else transaction.set(reference, account);
      const at = this.#now().toISOString();
      const retailer = (account ?? known)?.retailer;
      audit.append({ at, actor: by, action, subject: adAccountId, detail: { retailer } });
      return true;
    });
  }
}
