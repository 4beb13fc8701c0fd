/**
 * What the module costs and what gives way first, worked out from what was measured, from list prices and from quotas.
 * Pure arithmetic: `LIMITS.md` says it in words, and a test holds the page's table to this.
 */

/** Measured by the named command, or written in the code. */
export const measured = {
  /** `npm run bench -- delivery`, in messages of ten events. */
  firestoreReadsPerEvent: 0.034,
  firestoreWritesPerEvent: 0.002,
  pubsubBytesPerEvent: 1_500,
  eventsPerMessage: 10,
  /** Meta takes no more; `delivery` reaches it when a dataset has enough. */
  eventsPerGraphCall: 1_000,
  /** `shared/gcp/open-secrets.ts`: each use of a token looks whether another version is in use; token and app secret. */
  secretLooksPerGraphCall: 2,
  /** `functions/tokens/token-check/check-tokens.ts`: eight minutes of each hour, five tenants a second. */
  tokenChecksPerDay: 24 * 8 * 60 * 5,
  /** `functions/relay/capi-deliver/deliver.ts`: how long events of a dataset are gathered before they are sent. */
  gatherSeconds: 0.25,
  /** `functions/quality/emq-poller`: 36 runs in six hours, each of 525 seconds, half a second's pause after a tenant. */
  qualitySecondsPerSixHours: 36 * 525,
  qualityPauseSeconds: 0.5,
  /** `npm run bench -- saga`, from consent to live; each of 57 uses of a secret reads which version is in use besides. */
  onboarding: { graphCalls: 38, firestoreReads: 350 + 57, firestoreWrites: 159, firestoreDeletes: 14 },
  /** A user token for a while, a system token, a relay key. */
  secretsPerTenant: 2,
} as const;

/** Not measured: there is no cloud here. Each is on the careful side. */
export const assumed = {
  /** The busiest second against the average one. */
  peak: 5,
  /** One vCPU of capi-relay; parsing and answering alone reach about 4,000. */
  requestsPerSecondPerRelay: 1_000,
  /** One vCPU of capi-deliver; the thousand messages it holds at a time would allow more. */
  eventsPerSecondPerDeliver: 2_000,
  /** Asking Meta for the match quality of a tenant, besides the pause after it. */
  secondsPerQualityPoll: 0.3,
} as const;

/** US dollars; Google's public list prices, europe-west1, as known in November 2026. */
export const prices = {
  firestoreRead: 0.6 / 1e6,
  firestoreWrite: 1.8 / 1e6,
  firestoreDelete: 0.2 / 1e6,
  pubsubPerByte: 40 / 2 ** 40,
  cloudRunRequest: 0.4 / 1e6,
  /** One vCPU and half a GiB. */
  cloudRunSecond: 0.000024 + 0.5 * 0.0000025,
  armorRequest: 0.75 / 1e6,
  egressPerByte: 0.085 / 1e9,
  secretVersionMonth: 0.06,
  /** Forwarding rule, rate rule, two warm relays, jobs. */
  fixedMonth: 60,
} as const;

const monthSeconds = 30 * 86_400;

export interface Load {
  readonly tenants: number;
  readonly eventsPerMonth: number;
}

export interface Limits extends Load {
  readonly peakEventsPerSecond: number;
  readonly graphCallsPerMonth: number;
  readonly dollarsPerMonth: number;
  /** What is asked of the first thing to give way, as a part of what it gives: above 1 it has given way. */
  readonly used: number;
  readonly bottleneck: string;
}

interface Bound {
  readonly name: string;
  readonly capacity: number;
  readonly ask: (load: Load & { readonly peakEventsPerSecond: number }) => number;
}

/** Everything that ends, in its own unit. The text of `LIMITS.md` has source, date and remedy of each, by this name. */
export const bounds: readonly Bound[] = [
  {
    name: 'token-check',
    capacity: measured.tokenChecksPerDay,
    ask: ({ tenants }) => tenants,
  },
  {
    name: 'emq-poller',
    capacity: measured.qualitySecondsPerSixHours / (measured.qualityPauseSeconds + assumed.secondsPerQualityPoll),
    ask: ({ tenants }) => tenants,
  },
  {
    name: 'capi-relay instances',
    capacity: 100 * assumed.requestsPerSecondPerRelay,
    ask: ({ peakEventsPerSecond }) => peakEventsPerSecond / measured.eventsPerMessage,
  },
  {
    name: 'capi-deliver instances',
    capacity: 100 * assumed.eventsPerSecondPerDeliver,
    ask: ({ peakEventsPerSecond }) => peakEventsPerSecond,
  },
  {
    name: 'Pub/Sub publish throughput',
    capacity: 200e6,
    ask: ({ peakEventsPerSecond }) => peakEventsPerSecond * measured.pubsubBytesPerEvent,
  },
  {
    name: 'Graph calls at a time',
    // 64 connections an instance, half a second a call.
    capacity: 100 * 64 * 2,
    ask: (load) => (graphCalls(load) / monthSeconds) * assumed.peak,
  },
];

/** One for each full batch, or for each time something of a tenant was gathered, whichever is more; no more than messages. */
function graphCalls({ tenants, eventsPerMonth }: Load): number {
  const messages = eventsPerMonth / measured.eventsPerMessage;
  const gatherings = Math.min(messages, (tenants * monthSeconds) / measured.gatherSeconds);
  return Math.max(gatherings, eventsPerMonth / measured.eventsPerGraphCall);
}

/** What taking a tenant from consent to live costs at Firestore, in dollars. */
export function onboardingDollars(): number {
  const { firestoreReads, firestoreWrites, firestoreDeletes } = measured.onboarding;
  return (
    firestoreReads * prices.firestoreRead +
    firestoreWrites * prices.firestoreWrite +
    firestoreDeletes * prices.firestoreDelete
  );
}

/** What a month of this load asks for. */
export function limitsOf(load: Load): Limits {
  const { tenants, eventsPerMonth } = load;
  const peakEventsPerSecond = (eventsPerMonth / monthSeconds) * assumed.peak;
  const calls = graphCalls(load);
  const messages = eventsPerMonth / measured.eventsPerMessage;
  const bytes = eventsPerMonth * measured.pubsubBytesPerEvent;
  const reads = eventsPerMonth * measured.firestoreReadsPerEvent + calls * measured.secretLooksPerGraphCall;
  const seconds = messages / assumed.requestsPerSecondPerRelay + eventsPerMonth / assumed.eventsPerSecondPerDeliver;
  const dollarsPerMonth =
    prices.fixedMonth +
    tenants * measured.secretsPerTenant * prices.secretVersionMonth +
    reads * prices.firestoreRead +
    eventsPerMonth * measured.firestoreWritesPerEvent * prices.firestoreWrite +
    // In and out.
    2 * bytes * prices.pubsubPerByte +
    bytes * prices.egressPerByte +
    // Into the relay, and pushed to delivery.
    2 * messages * prices.cloudRunRequest +
    messages * prices.armorRequest +
    seconds * prices.cloudRunSecond;
  const [first] = bounds
    .map(({ name, capacity, ask }) => ({ name, used: ask({ ...load, peakEventsPerSecond }) / capacity }))
    .toSorted((left, right) => right.used - left.used);
  return {
    ...load,
    peakEventsPerSecond,
    graphCallsPerMonth: calls,
    dollarsPerMonth,
    used: first?.used ?? 0,
    bottleneck: first?.name ?? '',
  };
}
