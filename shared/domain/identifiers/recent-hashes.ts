/** No place: the text is never kept. */
const NOWHERE = -1;
const A = 0x61;
const LETTERS = 26;
/** From here on nearly all characters are letters. */
const BEYOND_ASCII_AND_SIGNS = 0xc0;

export interface RecentHashesOptions {
  /** A power of two. */
  readonly places: number;
  /** Longer texts are not kept. */
  readonly maxChars: number;
  /** Nor are those with anything but letters in them. */
  readonly lettersOnly: boolean;
}

/**
 * Hashes of texts seen lately, each in the one place its characters name; another text of that place takes it over. What
 * never repeats costs next to nothing then, unlike in a map, which grows with it. What may be a whole address, or a
 * person's full name, is not kept.
 */
export class RecentHashes<Hashes> {
  readonly #texts: (string | undefined)[];
  readonly #hashes: (Hashes | undefined)[];
  readonly #lastPlace: number;
  readonly #maxChars: number;
  readonly #lettersOnly: boolean;

  constructor({ places, maxChars, lettersOnly }: RecentHashesOptions) {
    this.#texts = nothingIn(places);
    this.#hashes = nothingIn(places);
    this.#lastPlace = places - 1;
    this.#maxChars = maxChars;
    this.#lettersOnly = lettersOnly;
  }

  placeOf(text: string): number {
    if (text.length > this.#maxChars) return NOWHERE;
    let mixed = text.length;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#lettersOnly && code < BEYOND_ASCII_AND_SIGNS && ((code | 0x20) - A) >>> 0 >= LETTERS) return NOWHERE;
      mixed = (mixed * 31 + code) | 0;
    }
    return (mixed ^ (mixed >>> 13)) & this.#lastPlace;
  }

  /** What was kept there for this very text. */
  at(place: number, text: string): Hashes | undefined {
    return place !== NOWHERE && this.#texts[place] === text ? this.#hashes[place] : undefined;
  }

  keep(place: number, text: string, hashes: Hashes): void {
    if (place === NOWHERE) return;
    this.#texts[place] = text;
    this.#hashes[place] = hashes;
  }
}

function nothingIn(places: number): undefined[] {
  // oxlint-disable-next-line unicorn/no-new-array -- Array.from takes ten times as long, at every cold start of the relay
  return new Array<undefined>(places).fill(undefined);
}
