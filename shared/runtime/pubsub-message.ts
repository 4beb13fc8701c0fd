/** Reading a Pub/Sub message as functions-framework hands it over. */

/** The text of a message, from any of the forms it comes in; undefined when it has none. */
export function messageText(data: unknown): string | undefined {
  const encoded = messageOf(data)?.['data'];
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8') : undefined;
}

/** The message's attributes; those of a dead-lettered copy say where it comes from (`CloudPubSubDeadLetterSource…`). */
export function messageAttributes(data: unknown): Readonly<Record<string, unknown>> {
  const attributes = messageOf(data)?.['attributes'];
  return isRecord(attributes) ? attributes : {};
}

/** The value the text stands for; undefined for text that is no JSON. */
export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageOf(data: unknown): Record<string, unknown> | undefined {
  const message = isRecord(data) && isRecord(data['message']) ? data['message'] : data;
  return isRecord(message) ? message : undefined;
}
