/** One guard of the saga taken out at a time, by rewriting the source as it is loaded: the product holds no switch for it. */
export interface Mutant {
  readonly name: string;
  /** What is missing then. */
  readonly without: string;
  readonly file: string;
  /** Must occur in the file exactly once, so that a mutant cannot silently stop being one. */
  readonly find: string;
  readonly replace: string;
  /** Processes that are really killed and stopped must notice it too. */
  readonly alsoByKill?: boolean;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'no-fence',
    without: 'the check that a worker still owns the step it writes',
    file: 'shared/gcp/step-store.ts',
    find: "record === undefined || record.fence !== claimed.fence || record.state !== 'running'",
    replace: 'record === undefined',
    alsoByKill: true,
  },
  {
    name: 'no-marker',
    without: 'the mark before a write is sent',
    file: 'shared/runtime/step-function.ts',
    find: 'await steps.markEffect(claimed, effect.name, fingerprint, effect.before?.());',
    replace: '',
  },
  {
    name: 'no-finder',
    without: 'the look before a write is sent',
    file: 'shared/runtime/step-function.ts',
    find: 'const found = await withCallTraces(() => effect.find(mark?.before));',
    replace: 'const found = { result: undefined as Result | undefined, traces: [] };',
  },
  {
    name: 'no-outbox',
    without: 'the row that outlives a crash between commit and publication',
    file: 'shared/gcp/outbox.ts',
    find: 'transaction.set(this.#db.doc(paths.outboxMessage(message.eventId)), message);',
    replace: 'void transaction;',
  },
  {
    name: 'no-lease',
    without: 'the check that nobody works on the step just now',
    file: 'shared/gcp/step-claim.ts',
    find: "if (record.state === 'running' && record.lease !== null && record.lease.until > now.toISOString()) {",
    replace: 'if (record.fence < 0 && record.lease !== null) {',
    alsoByKill: true,
  },
];

/** The source of the mutant's file without its guard. @throws Error when the place is not there exactly once */
export function withoutGuard({ name, file, find, replace }: Mutant, source: string): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${name}: its place occurs ${parts.length - 1} times in ${file}`);
  return parts.join(replace);
}
