import type { GraphErrorReason } from '../../../shared/meta/error-table.ts';
import type { GraphError } from '../../../shared/meta/errors.ts';
import type { Wait } from '../../../shared/runtime/outcomes.ts';

const hourMs = 60 * 60 * 1000;

/** What one attempt to create the child business asked for. */
export interface Attempt {
  readonly name: string;
  /** The Page that is to come in with the business; null: it is invited later (`partner-invite`). */
  readonly sharedPageId: string | null;
}

/**
 * Refusals behind which may stand the very business this tenant is to get, made by an attempt nobody remembers: then it
 * is looked for among the businesses of the client's person before anything else is tried.
 */
const mayBeOurs: readonly GraphErrorReason[] = [
  'business-name-taken',
  'user-has-child-business',
  'user-has-a-business',
  'primary-page-taken',
];

/** Whether the refusal may mean that our business exists already. */
export function mayExistAlready(refusal: GraphError): boolean {
  return mayBeOurs.includes(refusal.reason) || isExternalIdInUse(refusal);
}

/** Whether Meta refused the external id itself: then it belongs to the business that bears it. */
export function isExternalIdInUse(refusal: GraphError): boolean {
  return refusal.blameFields.includes('child_business_external_id');
}

/**
 * The next attempt after a refusal: another name when this one is refused or taken, no Page when the person is not its
 * admin. Undefined: nothing else is worth trying, see {@link waitAfter}.
 *
 * @param names in the order they are tried
 */
export function nextAttempt(refusal: GraphError, tried: Attempt, names: readonly string[]): Attempt | undefined {
  if (refusal.reason === 'business-name-refused' || refusal.reason === 'business-name-taken') {
    const name = names[names.indexOf(tried.name) + 1];
    return name === undefined ? undefined : { ...tried, name };
  }
  if (refusal.reason === 'not-page-admin' && tried.sharedPageId !== null) return { ...tried, sharedPageId: null };
  return undefined;
}

export interface RefusalFacts {
  readonly tenantId: string;
  readonly pageName: string;
  readonly names: readonly string[];
  /** Ids of child businesses that bear this tenant's name; more than one, or it would have been adopted. */
  readonly namesakes: readonly string[];
  /** Whether Meta lists any child business of the person. */
  readonly hasOthers: boolean;
}

/**
 * On whom the tenant waits once nothing else can be tried, in words fit to show. Undefined: the refusal is none of
 * these, and its class decides.
 */
export function waitAfter(refusal: GraphError, facts: RefusalFacts): Wait | undefined {
  const { hasOthers, names, namesakes, pageName, tenantId } = facts;
  const adopt = `POST /tenants/${tenantId}/steps/create-child-business/adopt`;
  const client = (awaited: string, what: string): Wait => ({
    on: 'client',
    for: awaited,
    what,
    pollEveryMs: 24 * hourMs,
  });
  const kobi = (awaited: string, what: string): Wait => ({ on: 'kobi', for: awaited, what, pollEveryMs: 6 * hourMs });
  if (namesakes.length > 1) {
    return kobi(
      'existing-child-business',
      `Several child businesses bear this tenant's name: ${namesakes.join(', ')}. Choose one (${adopt}).`,
    );
  }
  // Without the Page in the attempt Meta asks for one: only its admin can give it.
  if (refusal.blameFields.includes('shared_page_id')) return client('page-admin', pageAdminMust(pageName));

  const connectAgain = `Let another admin of the Page “${pageName}” connect Meta & Instagram.`;
  const chooseAnother = 'Connect Meta & Instagram again and choose another Page.';
  const takenNames = kobi(
    'business-name',
    `Meta took none of these names for the child business: ${names.join(', ')}. Change the tenant's name (PATCH /tenants/${tenantId} {name}).`,
  );
  const waits: Partial<Record<GraphErrorReason, Wait>> = {
    'development-access': kobi(
      'live-mode',
      "Kobi's Meta app is in Development mode, in which it may make two child Business Managers, and has made them: finish App Review and switch the app to Live in the App Dashboard.",
    ),
    'user-has-child-business': hasOthers
      ? client(
          'another-person',
          `The Facebook account that connected already has another business with Kobi. ${connectAgain}`,
        )
      : kobi(
          'existing-child-business',
          `Meta says that this person has a child business with Kobi already, but lists none: look in Business settings of the parent business, and name its id (${adopt}) if it is this tenant's.`,
        ),
    'user-has-a-business': client(
      'another-person',
      `Meta allows the Facebook account that connected one business at a time, and it has one. ${connectAgain}`,
    ),
    'may-not-create-business': client(
      'another-person',
      `Meta does not let the Facebook account that connected create a business. ${connectAgain}`,
    ),
    'primary-page-taken': client(
      'another-page',
      `The Page “${pageName}” is already the main Page of another business. ${chooseAnother}`,
    ),
    'page-business-not-allowed': client(
      'another-page',
      `Meta does not let the business that owns the Page “${pageName}” take part. ${chooseAnother}`,
    ),
    'not-page-admin': client('page-admin', pageAdminMust(pageName)),
    'two-factor-required': client(
      'two-factor',
      'The business that owns the Page requires two-factor authentication: turn it on for the Facebook account that connected, then connect Meta & Instagram again.',
    ),
    'business-name-refused': takenNames,
    'business-name-taken': takenNames,
    'app-not-owned': kobi('app-not-owned', "Claim the Meta app for Kobi's parent business (Business settings → Apps)."),
    'payment-account-disabled': kobi(
      'payment-account',
      "Settle the parent business's payment account in Business settings: it is disabled.",
    ),
    'capability-missing': {
      on: 'meta',
      for: 'two-tier-allow-list',
      what: "Meta must allow Kobi's app to create child businesses; Kobi follows it up with its Meta representative.",
      pollEveryMs: hourMs,
    },
  };
  return waits[refusal.reason];
}

function pageAdminMust(pageName: string): string {
  return `Only an admin of the Page “${pageName}” can bring it in: let one connect Meta & Instagram.`;
}
