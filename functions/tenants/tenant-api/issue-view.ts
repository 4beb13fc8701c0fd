import type { Issue } from '../../../shared/contracts/issue-documents.ts';

/** An object of the ad account that has trouble, in Meta's words. */
export interface IssueView {
  readonly objectId: string;
  readonly level: string | null;
  readonly since: string;
  readonly code: string | null;
  readonly summary: string | null;
  readonly message: string | null;
}

export function issueView({ level, objectId, reports, since }: Issue): IssueView {
  const { code = null, message = null, summary = null } = reports['with_issues_ad_objects'] ?? {};
  return { objectId, level, since, code, summary, message };
}
