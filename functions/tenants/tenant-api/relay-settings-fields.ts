import * as v from 'valibot';
import { botActions, consentActions } from '../../../shared/contracts/relay-documents.ts';
import { contentIdPatternRule, contentIdRegExp } from '../../../shared/domain/relay-policy/content-id-pattern.ts';
import { hasEmail, isPersonalName } from '../../../shared/domain/server-event/personal-data.ts';

const maxEventNames = 200;
const maxOrigins = 50;
const maxExtraKeys = 20;
const maxRequestsPerSecond = 10_000;
const deniedActions = ['limited-data-use', 'drop'] as const;
const dateOrders = ['dmy', 'mdy', 'ymd'] as const;

const eventName = v.pipe(
  v.string(),
  v.regex(/^[^\p{Cc}\p{Cs}]{1,100}$/u),
  v.check((name) => name.trim() === name && !hasEmail(name)),
);

/** Event names, for a tenant's allow-list and a key's. */
export const eventNamesRule = {
  schema: v.nullable(v.pipe(v.array(eventName), v.minLength(1), v.maxLength(maxEventNames))),
  expected: [`null for any event, or a list of 1 to ${maxEventNames} names of events such as Purchase`],
} as const;

/** The body of `PATCH /tenants/{tenant}/relay-settings`: each field's rule, and the rule in words. */
export const relaySettingsFields = {
  testEventCode: {
    schema: v.nullable(v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/))),
    expected: ['null, or the test code of Events Manager, such as TEST12345'],
  },
  consent: {
    schema: v.strictObject({ absent: v.picklist(consentActions), denied: v.picklist(deniedActions) }),
    expected: [`absent: ${consentActions.join(', ')}`, `denied: ${deniedActions.join(', ')}`],
  },
  limitedDataUse: {
    schema: v.pipe(v.strictObject({ country: v.number(), state: v.number() }), v.check(isPlace)),
    expected: ['country 0 and state 0 (Meta finds out), or country 1 and state 0 or 1000 (California) to 1099'],
  },
  bots: { schema: v.picklist(botActions), expected: botActions },
  events: eventNamesRule,
  origins: {
    schema: v.pipe(v.array(v.pipe(v.string(), v.check(isOrigin))), v.maxLength(maxOrigins)),
    expected: [`a list of up to ${maxOrigins} origins such as https://shop.example.com; http only for localhost`],
  },
  dateOrder: { schema: v.nullable(v.picklist(dateOrders)), expected: [...dateOrders, 'null: as the country writes'] },
  extraUserDataKeys: {
    schema: v.pipe(
      v.array(
        v.pipe(
          v.string(),
          v.regex(/^[a-z][a-z0-9_]{0,63}$/),
          v.check((key) => !isPersonalName(key)),
        ),
      ),
      v.maxLength(maxExtraKeys),
    ),
    expected: [
      `a list of up to ${maxExtraKeys} lower-case keys of Meta's that are sent unhashed; none that names personal data`,
    ],
  },
  contentIdPattern: {
    schema: v.nullable(
      v.pipe(
        v.string(),
        v.check((pattern) => contentIdRegExp(pattern) !== undefined),
      ),
    ),
    expected: ['null for any form', contentIdPatternRule],
  },
  requestsPerSecond: {
    schema: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxRequestsPerSecond)),
    expected: [`a whole number from 1 to ${maxRequestsPerSecond}`],
  },
} as const;

function isPlace({ country, state }: { country: number; state: number }): boolean {
  if (country === 0) return state === 0;
  return country === 1 && Number.isInteger(state) && (state === 0 || (state >= 1_000 && state <= 1_099));
}

/** A web origin exactly as browsers write it in the `Origin` header. */
function isOrigin(text: string): boolean {
  if (text.length > 300 || !URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  const isLocal = hostname === 'localhost' || hostname === '127.0.0.1';
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && isLocal));
}
