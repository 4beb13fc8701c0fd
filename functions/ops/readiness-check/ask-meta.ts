import type { ReadinessFinding, ReadinessFindings } from '../../../shared/domain/readiness.ts';
import type { AccessToken } from '../../../shared/meta/access-token.ts';
import { findChildBusinessByExternalId, readBusiness } from '../../../shared/meta/businesses.ts';
import { readExtendedCredits } from '../../../shared/meta/credit-lines.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphClient } from '../../../shared/meta/graph-client.ts';
import { debugToken } from '../../../shared/meta/oauth.ts';
import { childTokenPermissions } from '../../../shared/meta/permissions.ts';

export interface MetaQuestions {
  readonly graph: GraphClient;
  readonly parent: AccessToken<'parent'>;
  readonly app: AccessToken<'app'>;
  readonly kobi: { readonly appId: string; readonly parentBusinessId: string; readonly extendedCreditId: string };
  /** The tier that Meta's answers named so far. */
  readonly accessTier: () => string | undefined;
}

/**
 * Asks Meta what it can tell: the parent's verification and credit line, the tier in the headers of its answers, the
 * permissions of the parent's token. Whether the app is allow-listed for 2-Tier it does not tell; only its refusal of the
 * capability (code 3) says something, and is told as a doubt. What it does not answer is unknown, never missing.
 */
export async function askMeta({ graph, parent, app, kobi, accessTier }: MetaQuestions): Promise<ReadinessFindings> {
  const asParent = graph.as(parent);
  const { parentBusinessId, extendedCreditId } = kobi;
  const [pre8, pre2, pre10, permissions] = await Promise.all([
    ask(async () => {
      const { verificationStatus } = await readBusiness(asParent, parentBusinessId);
      if (verificationStatus === undefined) return unknown;
      return found(verificationStatus === 'verified', `Meta says: ${verificationStatus}`);
    }),
    ask(async () => {
      const credits = await readExtendedCredits(asParent, parentBusinessId);
      return found(
        credits.some(({ id }) => id === extendedCreditId),
        `the parent business shows ${credits.length} credit lines`,
      );
    }),
    ask(async () => {
      const key = { parentBusinessId, childBusinessExternalId: 'kobi_readiness_probe' };
      try {
        await findChildBusinessByExternalId(asParent, key);
        return unknown;
      } catch (error) {
        if (!(error instanceof GraphError && error.reason === 'capability-missing')) throw error;
        return found(false, 'Meta refuses the app the capability (code 3)');
      }
    }),
    ask(async () => {
      const { isValid, scopes } = await debugToken(graph.as(app), parent);
      if (!isValid) return found(false, "Meta calls the parent system user's token invalid");
      const missing = childTokenPermissions({ catalog: true }).filter((scope) => !scopes.includes(scope));
      return found(missing.length === 0, missing.length === 0 ? 'all granted' : `missing: ${missing.join(', ')}`);
    }),
  ]);
  const tier = accessTier();
  const tierFinding = tier === undefined ? unknown : found(tier === 'standard_access', `Meta says: ${tier}`);
  return { pre2, pre8, pre10, accessTier: tierFinding, permissions };
}

const unknown: ReadinessFinding = { state: 'unknown', detail: null };

const found = (isReady: boolean, detail: string): ReadinessFinding => ({
  state: isReady ? 'ready' : 'missing',
  detail,
});

async function ask(question: () => Promise<ReadinessFinding>): Promise<ReadinessFinding> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof GraphError) return unknown;
    throw error;
  }
}
