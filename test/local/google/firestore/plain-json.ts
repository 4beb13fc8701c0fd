/** Stored values as plain JSON, for people, tests and scans. */
import type { Fields, Timestamp, Value } from './wire.ts';
import { untyped } from './values.ts';

/** JSON a person or a canary scan can read: timestamps as RFC 3339, bytes as base64, references as resource names. */
export function toPlain(value: Value): unknown {
  switch (value.valueType) {
    case 'nullValue':
      return null;
    case 'booleanValue':
      return value.booleanValue;
    case 'integerValue': {
      const number = Number(value.integerValue);
      return Number.isSafeInteger(number) ? number : value.integerValue;
    }
    case 'doubleValue':
      return Number.isFinite(value.doubleValue) ? value.doubleValue : String(value.doubleValue);
    case 'timestampValue':
      return rfc3339(value.timestampValue);
    case 'stringValue':
      return value.stringValue;
    case 'bytesValue':
      return value.bytesValue.toString('base64');
    case 'referenceValue':
      return value.referenceValue;
    case 'geoPointValue':
      return value.geoPointValue;
    case 'arrayValue':
      return value.arrayValue.values.map(toPlain);
    case 'mapValue':
      return plainFields(value.mapValue.fields);
    default:
      return untyped(value);
  }
}

export function plainFields(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toPlain(value)]));
}

/** Nanoseconds are kept: `2026-01-02T03:04:05.123456789Z`; trailing zeros of the fraction are dropped. */
export function rfc3339(timestamp: Timestamp): string {
  const seconds = new Date(Number(timestamp.seconds) * 1000).toISOString().slice(0, 19);
  if (timestamp.nanos === 0) return `${seconds}Z`;
  return `${seconds}.${String(timestamp.nanos).padStart(9, '0').replace(/0+$/, '')}Z`;
}
