import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';
import { scrub } from '../meta/scrub.ts';

/** Structured logging in Cloud Logging's JSON: one object a line, with severity and trace. */
export type Logger = PinoLogger;

const severities: Record<string, string> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Bound to every line: the function's name. */
  readonly functionName: string;
  /** Where lines go; standard output unless told. */
  readonly destination?: { write(line: string): void };
}

/**
 * A logger whose lines Cloud Logging understands. Bind identifiers once per invocation with `.child({tenantId, …})`;
 * never pass a token, a header or raw personal data.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      messageKey: 'message',
      base: { function: options.functionName },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ severity: severities[label] ?? 'DEFAULT' }) },
      // An error may hold what a foreign library put there: only name, message and stack are kept, without what looks
      // like a token, hash, e-mail address or phone number.
      serializers: { err: loggedError },
    },
    options.destination ?? pino.destination({ sync: true }),
  );
}

/** The fields that make Cloud Logging show a line under its trace. `traceparent` is W3C trace context. */
export function traceFields(projectId: string, traceparent: string): Record<string, string> {
  const [, traceId, spanId] = traceparent.split('-');
  return {
    'logging.googleapis.com/trace': `projects/${projectId}/traces/${traceId ?? ''}`,
    'logging.googleapis.com/spanId': spanId ?? '',
  };
}

function loggedError(error: Error): Record<string, string | undefined> {
  const stack = error.stack?.split('\n').map((line) => scrub(line, []));
  return { name: error.name, message: scrub(error.message, []), stack: stack?.join('\n') };
}
