import { accepted, isBadLuck, later } from './fate.ts';
import type { FailedFate, Fate, Later } from './fate.ts';

export interface SendBatchOptions<Event> {
  /** One call to Meta: how many events it counted. Rejects when Meta took none, or may have. */
  readonly send: (events: readonly Event[]) => Promise<{ readonly eventsReceived: number }>;
  /** What a failed call means for its events. */
  readonly fateOf: (error: unknown) => FailedFate;
  /** Calls one batch may cost before what is left waits for another turn. */
  readonly maxCalls?: number;
}

/** Finds 20 bad events in 1,000 and still ends within the function's time. */
const defaultMaxCalls = 250;

/**
 * Sends a batch and says what became of each event, in order. Meta refuses a whole batch for one bad event and does not
 * say which, so a refused batch is halved until the culprit stands alone: about 2·log2(n) more calls for one culprit, and
 * every other event is delivered.
 *
 * Of failures that are no event's fault, one that may be the call's own bad luck (no time named, nobody to act) is passed
 * over; a second one in a row, or any other, stops the batch: what was not sent yet comes later and is not uncertain.
 */
export async function sendBatch<Event>(events: readonly Event[], options: SendBatchOptions<Event>): Promise<Fate[]> {
  const { send, fateOf, maxCalls = defaultMaxCalls } = options;
  const fates: Fate[] = [];
  let calls = 0;
  let stopped: Later | undefined;
  let hadBadLuck = false;

  /** Sends one stretch of the batch and appends its fates. True when Meta took all of it. */
  async function settle(from: number, to: number): Promise<boolean> {
    const stretch = events.slice(from, to);
    const append = (fate: Fate): void => void fates.push(...stretch.map(() => fate));
    if (stopped === undefined && calls === maxCalls) stopped = outOfCalls;
    if (stopped !== undefined) {
      append(stopped);
      return false;
    }
    calls += 1;
    let failure: FailedFate;
    try {
      const { eventsReceived } = await send(stretch);
      hadBadLuck = false;
      append(eventsReceived >= stretch.length ? accepted : miscounted(eventsReceived, stretch.length));
      return eventsReceived >= stretch.length;
    } catch (error) {
      failure = fateOf(error);
    }
    if (failure.kind === 'later') {
      append(failure);
      if (hadBadLuck || !isBadLuck(failure)) stopped = { ...failure, uncertain: false };
      hadBadLuck = true;
      return false;
    }
    hadBadLuck = false;
    if (stretch.length === 1) {
      append(failure);
    } else {
      await halve(from, to);
    }
    return false;
  }

  /** For a stretch that is known to hold a culprit. */
  async function halve(from: number, to: number): Promise<void> {
    const middle = from + Math.ceil((to - from) / 2);
    const leftTaken = await settle(from, middle);
    // The culprit is then on the right, and a call that says so can be saved. A single event is always asked about:
    // nothing goes to the dead letters without Meta's own word on it.
    if (leftTaken && to - middle > 1) await halve(middle, to);
    else await settle(middle, to);
  }

  await settle(0, events.length);
  return fates;
}

const outOfCalls: Later = later('many events of this batch were refused; the rest takes another turn', {
  afterMs: 60_000,
});

/** The dead letters' reason for events of which Meta counted some. */
export const notAllCounted = 'not-all-counted';

/** Meta said yes to fewer events than it was sent, without saying which. Neither repeating nor forgetting them is right. */
function miscounted(received: number, sent: number): Fate {
  return { kind: 'quarantined', reason: notAllCounted, problems: [`Meta counted ${received} of ${sent} events`] };
}
