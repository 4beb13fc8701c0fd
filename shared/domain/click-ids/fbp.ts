/** Upper end of the random part, as Meta's Parameter Builder draws it. */
const RANDOM_RANGE = 2_147_483_647;

/**
 * A new browser id: `fb.{subdomainIndex}.{nowMs}.{random}`. `random` gives [0, 1) and is passed in, as is the time. Mint
 * once per browser and store it: two events of one person with different fbp count as two people.
 */
export function mintFbp(subdomainIndex: number, nowMs: number, random: () => number): string {
  return `fb.${subdomainIndex}.${nowMs}.${Math.floor(random() * RANDOM_RANGE)}`;
}
