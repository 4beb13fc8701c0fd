import { GrpcCode, GrpcError } from '../grpc-service.ts';

/** Whether a message with these attributes passes a subscription's filter. */
export type AttributeFilter = (attributes: Readonly<Record<string, string>>) => boolean;

const passEverything: AttributeFilter = () => true;

/**
 * Compiles Pub/Sub's filter language (Google's page "Filter messages from a subscription"): `attributes:k`,
 * `attributes.k = "v"`, `!=`, `hasPrefix(attributes.k, "v")`, `NOT`/`-`, `AND`, `OR`, parentheses. As at Google,
 * `AND` and `OR` may be mixed only with parentheses. The empty filter passes everything.
 * Throws INVALID_ARGUMENT for anything else, and for a filter over 256 bytes.
 */
export function compileFilter(source: string): AttributeFilter {
  if (source.trim() === '') return passEverything;
  if (Buffer.byteLength(source) > 256) throw invalidFilter(source, 'longer than 256 bytes');
  const parser = new FilterParser(source);
  return parser.parse();
}

function invalidFilter(source: string, why: string): GrpcError {
  return new GrpcError(GrpcCode.INVALID_ARGUMENT, `Invalid filter (filter=${source}): ${why}.`);
}

const tokenPattern = /\s*("(?:[^"\\]|\\.)*"|!=|[=():.,-]|[\p{L}_][\p{L}\p{N}_-]*)/uy;

class FilterParser {
  readonly #source: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    const trimmed = source.trimEnd();
    tokenPattern.lastIndex = 0;
    while (tokenPattern.lastIndex < trimmed.length) {
      const before = tokenPattern.lastIndex;
      const token = tokenPattern.exec(trimmed)?.[1];
      if (token === undefined) throw invalidFilter(source, `unexpected character at position ${before}`);
      this.#tokens.push(token);
    }
  }

  parse(): AttributeFilter {
    const filter = this.#combination();
    if (this.#peek() !== undefined) throw this.#unexpected();
    return filter;
  }

  #combination(): AttributeFilter {
    const terms = [this.#negation()];
    const operator = this.#peek();
    if (operator !== 'AND' && operator !== 'OR') return terms[0] ?? passEverything;
    while (this.#peek() === operator) {
      this.#next();
      terms.push(this.#negation());
    }
    if (this.#peek() === 'AND' || this.#peek() === 'OR') {
      throw invalidFilter(this.#source, 'AND and OR need parentheses between them');
    }
    return operator === 'AND'
      ? (attributes) => terms.every((term) => term(attributes))
      : (attributes) => terms.some((term) => term(attributes));
  }

  #negation(): AttributeFilter {
    if (this.#peek() === 'NOT' || this.#peek() === '-') {
      this.#next();
      const term = this.#term();
      return (attributes) => !term(attributes);
    }
    return this.#term();
  }

  #term(): AttributeFilter {
    const token = this.#next();
    if (token === '(') {
      const inner = this.#combination();
      this.#expect(')');
      return inner;
    }
    if (token === 'hasPrefix') return this.#hasPrefix();
    if (token !== 'attributes') throw this.#unexpected(token);
    if (this.#peek() === ':') {
      this.#next();
      const key = this.#key();
      return (attributes) => Object.hasOwn(attributes, key);
    }
    this.#expect('.');
    const key = this.#key();
    const operator = this.#next();
    if (operator !== '=' && operator !== '!=') throw this.#unexpected(operator);
    const value = this.#string();
    // Google: `!=` also passes a message that lacks the attribute.
    return operator === '='
      ? (attributes) => Object.hasOwn(attributes, key) && attributes[key] === value
      : (attributes) => !Object.hasOwn(attributes, key) || attributes[key] !== value;
  }

  #hasPrefix(): AttributeFilter {
    this.#expect('(');
    this.#expect('attributes');
    this.#expect('.');
    const key = this.#key();
    this.#expect(',');
    const prefix = this.#string();
    this.#expect(')');
    return (attributes) => Object.hasOwn(attributes, key) && (attributes[key] ?? '').startsWith(prefix);
  }

  #key(): string {
    const token = this.#next();
    if (token?.startsWith('"')) return unquote(token);
    if (token === undefined || !/^[\p{L}_]/u.test(token)) throw this.#unexpected(token);
    return token;
  }

  #string(): string {
    const token = this.#next();
    if (!token?.startsWith('"')) throw this.#unexpected(token);
    return unquote(token);
  }

  #expect(expected: string): void {
    const token = this.#next();
    if (token !== expected) throw this.#unexpected(token);
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #next(): string | undefined {
    return this.#tokens[this.#at++];
  }

  #unexpected(token: string | undefined = this.#peek()): GrpcError {
    return invalidFilter(this.#source, token === undefined ? 'it ends too early' : `unexpected ${token}`);
  }
}

function unquote(token: string): string {
  return token.slice(1, -1).replace(/\\(.)/g, '$1');
}
