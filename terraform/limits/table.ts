import { limitsOf, measured, onboardingDollars } from './model.ts';

const tenants = [10, 1_000, 100_000];
const events = [1e6, 1e7, 1e8, 1e9, 1e10, 1e11];

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** The table of `LIMITS.md`, as Markdown. */
export function limitsTable(): string {
  const rows = tenants.flatMap((count) =>
    events.map((eventsPerMonth) => {
      const found = limitsOf({ tenants: count, eventsPerMonth });
      const part = found.used < 0.01 ? 'below 1 %' : `${number.format(found.used * 100)} %`;
      return [
        number.format(count),
        short.format(eventsPerMonth),
        number.format(found.peakEventsPerSecond),
        short.format(found.graphCallsPerMonth),
        number.format(found.dollarsPerMonth),
        `${found.bottleneck}, ${part}${found.used > 1 ? ' (gives way)' : ''}`,
      ];
    }),
  );
  const head = [
    'tenants',
    'events a month',
    'events a second at peak',
    'Graph calls',
    'dollars a month',
    'first to give way',
  ];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What an onboarding asks for, as `LIMITS.md` says it. */
export function onboardingLine(): string {
  const { graphCalls, firestoreReads, firestoreWrites, firestoreDeletes } = measured.onboarding;
  const operations = `${firestoreReads} Firestore reads, ${firestoreWrites} writes and ${firestoreDeletes} deletes`;
  return `${graphCalls} Graph calls a tenant, ${operations} (${number.format(onboardingDollars())} dollars)`;
}
