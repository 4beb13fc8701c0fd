import { hashUserData } from '../../../shared/domain/identifiers/hash-user-data.ts';
import { personKeys } from '../../../shared/domain/relay-policy/person-keys.ts';
import { limited } from '../../../shared/domain/relay-policy/policy.ts';
import { isObject } from '../../../shared/domain/server-event/server-event.ts';
import type { HashedServerEvent } from '../../../shared/domain/server-event/server-event.ts';
import type { HeldEventsRecord } from '../../../shared/contracts/relay-documents.ts';
import { eventsMessage } from '../events-message.ts';
import { admit } from './admit.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { Refused, invalidParameter, wrongPurpose } from './meta-answer.ts';
import type { RelayAnswer } from './meta-answer.ts';
import { fieldsOf } from './request.ts';
import type { RelayCall, RelayRoute } from './route.ts';
import { identifierContextOf, limitRate } from './take-events.ts';
import type { AcceptDependencies } from './take-events.ts';

export const consentRoutes: readonly RelayRoute[] = [
  { method: 'POST', name: '/{dataset}/consent', path: /^\/(\d{1,20})\/consent\/?$/, handle: decideConsent },
];

const decisions = ['granted', 'denied'] as const;

/**
 * `POST /{dataset}/consent {user_data, decision}`: a person decided, and the events held for that person are sent, or not
 * (as the tenant's settings say of a denial: dropped, or sent with Limited Data Use). It is about events already held;
 * later ones say their own consent. Answers how many events were released and dropped.
 */
async function decideConsent(call: RelayCall, dependencies: AcceptDependencies): Promise<RelayAnswer> {
  const { request, match, fbtraceId, traceparent } = call;
  const { directory, heldEvents, limiter, log, now, queue } = dependencies;
  const [, datasetId] = match;
  const { key: shown } = fieldsOf(request, { datasetId, isGateway: false });
  const receivedAt = now();
  const admitted = await admit(shown, datasetId, directory, receivedAt);
  if (admitted.key.purpose === 'browser') throw new Refused(wrongPurpose('browser'));
  limitRate(admitted, receivedAt, limiter);
  if (heldEvents === undefined) throw new Error('there is no place where events are held');

  const { dataset } = admitted;
  const { userData, decision } = decisionOf(request.body);
  const keys = personKeys(dataset.datasetId, hashUserData(userData, identifierContextOf(dataset)).userData);
  if (keys.length === 0) throw new Refused(findsNobody);

  const { consent, limitedDataUse } = dataset.settings;
  const isSent = decision === 'granted' || consent.denied === 'limited-data-use';
  let released = 0;
  let dropped = 0;
  await heldEvents.decide(dataset.datasetId, keys, async (record) => {
    const events = eventsOf(record);
    if (isSent) {
      const sent = decision === 'granted' ? events : events.map((event) => limited(event, limitedDataUse));
      const { json } = eventsMessage({ ...headOf(record), traceparent }, sent);
      await queue(json);
      released += sent.length;
    } else {
      dropped += events.length;
      for (const event of events)
        dependencies.counters?.count(record.tenantId, event.event_name, 'dropped:consent_denied');
    }
  });
  const { tenantId } = dataset;
  log.info({ tenantId, datasetId: dataset.datasetId, decision, released, dropped }, 'consent decided');
  return { status: 200, body: JSON.stringify({ decision, released, dropped, fbtrace_id: fbtraceId }) };
}

/** @throws Refused 400 */
function decisionOf(body: unknown): {
  readonly userData: Readonly<Record<string, unknown>>;
  readonly decision: (typeof decisions)[number];
} {
  const fields: unknown = typeof body === 'string' || Buffer.isBuffer(body) ? parseBoundedJson(String(body)) : body;
  const userData = isObject(fields) ? fields['user_data'] : undefined;
  const decision = isObject(fields) ? decisions.find((known) => known === fields['decision']) : undefined;
  if (decision === undefined) {
    throw new Refused(
      invalidParameter('Param decision must be one of granted, denied', 'Say what the person decided.'),
    );
  }
  if (!isObject(userData)) {
    throw new Refused(
      invalidParameter(
        'Param user_data must be an object',
        'Say who decided, with the identifiers of the held events.',
      ),
    );
  }
  return { userData, decision };
}

const findsNobody = invalidParameter(
  'Param user_data finds nobody',
  'Give at least one usable identifier that the held events had: external_id, anon_id, em, ph, fbp.',
);

/** What was written here was made by the judge. */
function eventsOf({ eventsJson }: HeldEventsRecord): HashedServerEvent[] {
  return JSON.parse(eventsJson) as HashedServerEvent[];
}

function headOf({ tenantId, datasetId, testEventCode, heldAt }: HeldEventsRecord): {
  readonly tenantId: string;
  readonly datasetId: string;
  readonly testEventCode: string | undefined;
  readonly at: string;
} {
  return { tenantId, datasetId, testEventCode: testEventCode ?? undefined, at: heldAt };
}
