import { parseFieldPath, readField } from './field-path.ts';
import type { Value } from './wire.ts';
import type { StoredDocument } from './writes.ts';

/** Which documents hold a string in the array at one field, so that `array-contains` does not look at every document. */
export class ArrayIndex {
  readonly #segments: readonly string[];
  readonly #paths = new Map<string, Set<string>>();

  constructor(fieldPath: string) {
    this.#segments = parseFieldPath(fieldPath);
  }

  add(document: StoredDocument): void {
    for (const text of this.#textsOf(document)) {
      const paths = this.#paths.get(text);
      if (paths) paths.add(document.path);
      else this.#paths.set(text, new Set([document.path]));
    }
  }

  /** From one version of a document to the next, either of which may not be there. */
  change(before: StoredDocument | undefined, after: StoredDocument | undefined): void {
    if (before && after && this.#value(before) === this.#value(after)) return;
    if (before) this.#remove(before);
    if (after) this.add(after);
  }

  #remove(document: StoredDocument): void {
    for (const text of this.#textsOf(document)) {
      const paths = this.#paths.get(text);
      paths?.delete(document.path);
      if (paths?.size === 0) this.#paths.delete(text);
    }
  }

  /** Paths of the documents that hold at least one of them, each once. */
  find(texts: readonly string[]): ReadonlySet<string> {
    return new Set(texts.flatMap((text) => [...(this.#paths.get(text) ?? [])]));
  }

  #value({ fields }: StoredDocument): Value | undefined {
    return readField(fields, this.#segments);
  }

  *#textsOf(document: StoredDocument): Generator<string> {
    const value = this.#value(document);
    if (value?.valueType !== 'arrayValue') return;
    for (const each of value.arrayValue.values) if (each.valueType === 'stringValue') yield each.stringValue;
  }
}
