import { maxFallbackTenants } from '../../../shared/domain/provisioning-path.ts';
import type { OwnedAdAccount } from '../../../shared/meta/ad-accounts.ts';
import { GraphError } from '../../../shared/meta/errors.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';

/**
 * What the parent business allows on the fallback path. Meta counts every ad account the business owns: those of tenants
 * that were migrated or offboarded, and those opened by hand. (Meta, errors 3979 and 3980.)
 */

const hourMs = 60 * 60 * 1000;

/** @throws Waiting on meta for PRE-10 when the API may open no further account in this business */
export function assertParentHasRoom(owned: readonly OwnedAdAccount[]): void {
  if (owned.length >= maxFallbackTenants) throw parentIsFull();
}

/** Runs what opens the account; Meta's refusals of that become waits on whoever can end them. */
export async function withinParentLimits<Result>(open: () => Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof GraphError && error.reason === 'ad-account-limit') throw parentIsFull();
    if (error instanceof GraphError && error.reason === 'ad-account-in-bad-standing') throw parentInBadStanding();
    throw error;
  }
}

export function parentHasNoCredit(): Waiting {
  return new Waiting({
    on: 'kobi',
    for: 'PRE-2',
    what: 'The parent Business Manager needs its extended credit line (PRE-2): without it no ad would be delivered.',
    pollEveryMs: hourMs,
  });
}

function parentIsFull(): Waiting {
  return new Waiting({
    on: 'meta',
    for: 'PRE-10',
    what: `Kobi's parent Business Manager has the ${maxFallbackTenants} ad accounts that Meta's API may open in it. This tenant goes on in its own Business Manager as soon as Meta grants 2-Tier access (PRE-10).`,
    pollEveryMs: hourMs,
  });
}

function parentInBadStanding(): Waiting {
  return new Waiting({
    on: 'kobi',
    for: 'ad-account-in-bad-standing',
    what: "An ad account of Kobi's parent Business Manager is in review or disabled: solve that in Account Quality. Until then Meta opens no other there.",
    pollEveryMs: hourMs,
  });
}
