/** One thing wrong with a request: which field, what came, what is valid. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
  /** What came, shortened; absent when nothing came or when it must not be repeated. */
  readonly got?: string | number | boolean | null;
  readonly expected?: readonly string[];
}

export interface HttpProblemDetails extends Partial<Omit<FieldProblem, 'message'>> {
  /** Several problems at once, for a body that is checked as a whole. */
  readonly problems?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A request that gets an answer other than success, on purpose. `message` is shown to the caller: it never holds a token
 * or anything the caller may not know.
 */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  /** Stable, for programs: `unknown-tenant`. */
  readonly code: string;
  readonly details: HttpProblemDetails;

  constructor(status: number, code: string, message: string, details: HttpProblemDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** The JSON body of a problem: `{error: {code, message, field?, got?, expected?, problems?}}`. */
export function problemBody(problem: HttpProblem): Record<string, unknown> {
  const { field, got, expected, problems } = problem.details;
  return {
    error: {
      code: problem.code,
      message: problem.message,
      ...(field !== undefined && { field }),
      ...(got !== undefined && { got }),
      ...(expected !== undefined && { expected }),
      ...(problems !== undefined && { problems }),
    },
  };
}
