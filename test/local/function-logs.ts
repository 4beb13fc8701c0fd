import { pino } from 'pino';

/**
 * Sends every log line of the functions in this process to `write` instead of standard output, which belongs to the demo.
 * The functions' loggers ask pino for its default destination when they are made, so this comes before loading them.
 */
export function sendFunctionLogsTo(write: (line: string) => void): void {
  Object.assign(pino, { destination: () => ({ write }) });
}
