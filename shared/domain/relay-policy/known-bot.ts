import { createIsbotFromList, list } from 'isbot';

/**
 * Patterns of isbot that know a crawler by its name. Those that go by the mere shape of a user agent are left out: a
 * short one is more often a sender that shortened it than a machine.
 */
const NAMED = list.filter((pattern) => !/^\^(?:[[\\]|mozilla\/)/.test(pattern));
const isNamed = createIsbotFromList(NAMED);

/** Some hundred kilobytes; browsers in use at one time are fewer. */
const MAX_REMEMBERED = 2_000;
const remembered = new Map<string, boolean>();

/** Whether a user agent is that of a known crawler, monitor or preview fetcher. Empties its memory when full. */
export function isKnownBot(userAgent: string): boolean {
  let answer = remembered.get(userAgent);
  if (answer === undefined) {
    answer = isNamed(userAgent);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(userAgent, answer);
  }
  return answer;
}
