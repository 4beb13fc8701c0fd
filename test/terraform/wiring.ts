/**
 * Holds what Terraform would make against the manifests and contracts: what is missing, what nobody asked for, what is
 * set otherwise. The expectations are worked out from the manifests alone, not from the .tf files.
 */
import type { Plan } from './configuration.ts';
import { database } from './wiring/database.ts';
import type { Expectations } from './wiring/expectation.ts';
import { accounts, deployed, invokers, traces } from './wiring/functions.ts';
import { queue, schedules, subscriptions, topics } from './wiring/messages.ts';
import { secrets } from './wiring/secrets.ts';
import { warehouse } from './wiring/warehouse.ts';

/** Every difference, as `what: what is expected`. */
export function wiringProblems(plan: Plan, expectations: Expectations): string[] {
  return [
    ...accounts(plan, expectations),
    ...deployed(plan, expectations),
    ...invokers(plan, expectations),
    ...traces(plan, expectations),
    ...topics(plan, expectations),
    ...subscriptions(plan, expectations),
    ...schedules(plan, expectations),
    ...queue(plan, expectations),
    ...secrets(plan, expectations),
    ...database(plan, expectations),
    ...warehouse(plan, expectations),
  ];
}
