/** Choices of a proof's command line, checked before anything runs. */

/** The named ones, all when nothing is named. Ends the process with what is valid when a name is unknown. */
export function chosenFrom<Name extends string>(
  option: string,
  given: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (given === undefined) return known;
  const names = given.split(',').map((name) => name.trim());
  const chosen = known.filter((name) => names.includes(name));
  const unknown = names.filter((name) => !chosen.some((valid) => valid === name));
  if (unknown.length === 0) return chosen;
  process.stderr.write(`${option}: there is no ${unknown.join(', ')}; valid: ${known.join(', ')}\n`);
  process.exit(2);
}

/** A whole number from `least` on. Ends the process when it is none. */
export function numberFrom(option: string, given: string | undefined, otherwise: number, least = 1): number {
  if (given === undefined) return otherwise;
  const number = Number(given);
  if (Number.isSafeInteger(number) && number >= least) return number;
  process.stderr.write(`${option}: expected a whole number from ${least}, got ${given.slice(0, 40)}\n`);
  process.exit(2);
}
