/** Why an event is refused. Subcodes are those seen in public sources; other refusals carry none, as none is known. */
export interface EventFault {
  readonly title: string;
  readonly problem: string;
  readonly subcode?: number;
}

export type Json = Readonly<Record<string, unknown>>;

export const invalidEvent = (problem: string, title = 'Invalid Event Parameter', subcode?: number): EventFault => ({
  title,
  problem,
  ...(subcode === undefined ? {} : { subcode }),
});

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
