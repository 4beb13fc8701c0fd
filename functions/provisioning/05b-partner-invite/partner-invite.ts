import { GraphError } from '../../../shared/meta/errors.ts';
import type { GraphErrorClass } from '../../../shared/meta/error-table.ts';
import {
  readClientPages,
  readPendingClientPages,
  requestClientPage,
  sharePageWithAgency,
} from '../../../shared/meta/pages.ts';
import { unknownOutcomeGraceMs } from '../../../shared/runtime/graph-outcome.ts';
import { NotNeeded, RetryLater, Waiting } from '../../../shared/runtime/outcomes.ts';
import { operatorOf } from '../operator.ts';
import type { StepFactory } from '../services.ts';

const minuteMs = 60 * 1000;
const dayMs = 24 * 60 * minuteMs;

/** Meta said no, and will say it again: another way is tried. Trouble and limits are not refusals. */
const refusals: readonly GraphErrorClass[] = ['permission', 'not-found', 'token-dead', 'config-bug'];

/**
 * Brings the client's Page into the business that operates it, where the consent did not: Meta made the child business
 * without it, the person who connected is not its admin, the client chose another Page later, or the business is the
 * parent (fallback path). Ends at once, as not needed, where the
 * Page is there already.
 *
 * Two ways, in this order: the client's own token shares the Page (`POST /{page}/agencies`), or the business asks
 * for it (`POST /{business}/client_pages`) and an admin of the Page accepts. Where Meta takes neither, an admin can share
 * the Page by hand. `link-page-and-instagram` goes on by itself. (Document, "Onboarding checklist" 7.)
 */
export const partnerInvite: StepFactory<'partner-invite'> = (services) => async (context) => {
  const { tenant, product, ensure, hasActed, log } = context;
  const { graph, businessId } = await operatorOf(services, context);
  const { pageId, pageName } = product('record-consent');
  const isShared = async (): Promise<boolean> =>
    (await readClientPages(graph, businessId)).some(({ id }) => id === pageId);
  const isAsked = async (): Promise<boolean> => (await readPendingClientPages(graph, businessId)).includes(pageId);
  const findShared = async (): Promise<Attempted | undefined> => ((await isShared()) ? taken : undefined);

  const endOnce = (isVisible: boolean): { products: { sharedPageId: string } } => {
    if (isVisible) return { products: { sharedPageId: pageId } };
    throw new RetryLater('the shared Page is not visible yet', { afterMs: unknownOutcomeGraceMs });
  };

  if (!hasActed && (await isShared())) throw new NotNeeded(`the Page “${pageName}” is shared already`);

  const userToken = await services.credentials.user(tenant.tenantId).catch(noTokenLeft);
  if (userToken !== undefined) {
    const share = { pageId, agencyBusinessId: businessId };
    const shared = await ensure({
      name: 'page-share',
      desired: share,
      find: findShared,
      create: () => unlessRefused(() => sharePageWithAgency(services.graph.as(userToken), share)),
    });
    if (shared.isTaken) return endOnce(await isShared());
    log.info({ pageId, refusal: shared.refusal }, 'the person may not share the Page, its admin is asked');
  }
  const request = { businessId, pageId };
  const asked = await ensure({
    name: 'page-request',
    desired: request,
    find: async () => ((await isAsked()) ? taken : findShared()),
    create: () => unlessRefused(() => requestClientPage(graph, request)),
  });
  if (await isShared()) return endOnce(true);

  const byHand = `As a person with full control of the Page “${pageName}”: https://business.facebook.com/settings/pages → “${pageName}” → Partners → Assign partner → Business ID ${businessId} → switch on “Ads” and “Insights” only → Assign.`;
  if (!asked.isTaken) {
    log.warn({ pageId, refusal: asked.refusal }, 'Meta takes no request for the Page, its admin must share it by hand');
    throw clientMust('page-share', byHand);
  }
  if (await isAsked()) {
    throw clientMust(
      'page-request',
      `Accept the request of Kobi's business ${businessId} for the Page “${pageName}”: as a person with full control of the Page open https://business.facebook.com/settings/requests, Received, and click “Approve”. If the Page is in no business portfolio: https://www.facebook.com/${pageId} → Settings → Page access → Pending requests → Respond.`,
    );
  }
  throw clientMust(
    'page-request-declined',
    `The request for the Page “${pageName}” was declined or has lapsed. ${byHand} Or connect Meta & Instagram again: then it is asked for once more.`,
  );
};

/** What became of one way to the Page: kept with the effect, so that a refused way is not tried again and again. */
type Attempted = { readonly isTaken: boolean; readonly refusal: string | null };
const taken: Attempted = { isTaken: true, refusal: null };

/** Runs it; a refusal of Meta's is an answer like another, everything else is thrown. */
async function unlessRefused(run: () => Promise<unknown>): Promise<Attempted> {
  try {
    await run();
    return taken;
  } catch (error) {
    const isRefusal = error instanceof GraphError && error.outcome === 'not-applied' && refusals.includes(error.class);
    if (!isRefusal) throw error;
    return { isTaken: false, refusal: error.reason };
  }
}

/** Without the client's token the Page's admin is asked: no need to wait for the client to connect again. */
function noTokenLeft(error: unknown): undefined {
  if (!(error instanceof Waiting)) throw error;
}

function clientMust(awaited: string, what: string): Waiting {
  return new Waiting({ on: 'client', for: awaited, what, pollEveryMs: 15 * minuteMs, expiresAfterMs: 30 * dayMs });
}
