/** The demo's traffic: what a client's site, shop and CRM send to the relay, in Meta's own wire format. */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { businessSdkAt } from './business-sdk.ts';

/** Invented people; the canary scan looks for exactly these texts. */
export const shopper = {
  email: 'Ayse.Yilmaz@Posta.Example',
  phone: '0532 123 45 67',
  firstName: 'Ayşe',
  lastName: 'Yılmaz',
  city: 'İstanbul',
} as const;
export const lead = { email: 'mehmet.demir@posta.example', phone: '+90 533 765 43 21' } as const;

const userAgent =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15';
/** Public, and nobody's in particular: Google's resolver. */
const visitorAddress = '8.8.8.8';

type WireEvent = Record<string, unknown>;

export interface Sender {
  readonly title: string;
  /** Which kind of relay key it shows. */
  readonly purpose: 'server' | 'browser' | 'crm';
  readonly headers: Readonly<Record<string, string>>;
  readonly events: readonly WireEvent[];
  /** How many of the events are bad on purpose. */
  readonly bad: number;
}

/** The senders of one demo. `nowSeconds` is Unix time. */
export function demoSenders(siteUrl: string, nowSeconds: number): readonly Sender[] {
  const onSite = (event_name: string, more: WireEvent): WireEvent => ({
    event_name,
    event_time: nowSeconds,
    event_id: randomUUID(),
    action_source: 'website',
    event_source_url: siteUrl,
    ...more,
  });
  const buyer = {
    em: shopper.email,
    ph: shopper.phone,
    fn: shopper.firstName,
    ln: shopper.lastName,
    ct: shopper.city,
    external_id: 'customer-1042',
  };
  return [
    {
      title: 'browser on the site',
      purpose: 'browser',
      headers: { 'user-agent': userAgent, 'x-forwarded-for': visitorAddress },
      events: [
        onSite('PageView', {
          user_data: { fbp: `fb.1.${nowSeconds * 1000}.1098115397`, client_user_agent: userAgent },
        }),
        onSite('AddToCart', {
          user_data: { fbp: `fb.1.${nowSeconds * 1000}.1098115397`, client_user_agent: userAgent, em: shopper.email },
          custom_data: { value: 349.9, currency: 'TRY', content_ids: ['sku-7'], content_type: 'product' },
        }),
      ],
      bad: 0,
    },
    {
      title: 'server of the shop',
      purpose: 'server',
      headers: {},
      events: [
        onSite('Purchase', {
          user_data: { ...buyer, client_user_agent: userAgent, client_ip_address: visitorAddress },
          custom_data: { value: 1249.9, currency: 'TRY', content_ids: ['sku-7'], order_id: 'order-7001' },
        }),
        // Bad on purpose: a Purchase must say its value and currency. Its siblings go through.
        onSite('Purchase', { user_data: { ...buyer, client_user_agent: userAgent }, custom_data: {} }),
      ],
      bad: 1,
    },
    {
      title: 'CRM',
      purpose: 'crm',
      headers: {},
      events: [
        {
          event_name: 'Lead',
          event_time: nowSeconds - 3_600,
          event_id: randomUUID(),
          action_source: 'system_generated',
          user_data: { em: lead.email, ph: lead.phone },
          custom_data: { event_source: 'crm', lead_event_source: 'Demo CRM' },
        },
      ],
      bad: 0,
    },
  ];
}

export interface Sent {
  readonly status: number;
  readonly received: number;
  /** The relay's own words about what it did not take. */
  readonly messages: readonly string[];
  readonly answer: unknown;
}

/** Meta's answer; an error has neither field. */
const answerSchema = v.object({
  events_received: v.optional(v.number(), 0),
  messages: v.optional(v.array(v.string()), []),
});

/** Sends in Meta's wire format; a batch whose events are all bad is answered as an error. */
export async function sendToRelay(eventsUrl: string, key: string, sender: Sender): Promise<Sent> {
  const response = await fetch(eventsUrl, {
    method: 'POST',
    headers: { ...sender.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ data: sender.events, access_token: key }),
  });
  const answer: unknown = await response.json();
  const { events_received: received, messages } = v.parse(answerSchema, answer);
  return { status: response.status, received, messages, answer };
}

/**
 * Sends as `kobi.js` does from a page of the site: as text, with the page's origin and what the visitor agreed to. The
 * answer to a hit of which nothing is to be said is empty.
 */
export async function sendToCollect(
  collectUrl: string,
  hit: { readonly key: string; readonly datasetId: string; readonly siteUrl: string },
  sender: Sender,
): Promise<Sent> {
  const { key, datasetId: dataset, siteUrl } = hit;
  const user_data: WireEvent = Object.assign({}, ...sender.events.map((event) => event['user_data'])) as WireEvent;
  const response = await fetch(collectUrl, {
    method: 'POST',
    headers: { ...sender.headers, 'content-type': 'text/plain;charset=UTF-8', origin: new URL(siteUrl).origin },
    body: JSON.stringify({ key, dataset, consent: 'granted', fbp: user_data['fbp'], user_data, data: sender.events }),
  });
  const text = await response.text();
  if (response.status === 204) return { status: 204, received: sender.events.length, messages: [], answer: text };
  const answer: unknown = JSON.parse(text);
  const { events_received: received, messages } = v.parse(answerSchema, answer);
  return { status: response.status, received, messages, answer };
}

/** One purchase through Meta's own SDK; returns how many events the SDK says were received. */
export async function sendWithBusinessSdk(
  relayUrl: string,
  datasetId: string,
  key: string,
  at: { siteUrl: string; nowSeconds: number },
): Promise<number> {
  const { CustomData, EventRequest, FacebookAdsApi, ServerEvent, UserData } = businessSdkAt(relayUrl);
  FacebookAdsApi.init(key);
  const event = new ServerEvent()
    .setEventName('Purchase')
    .setEventTime(at.nowSeconds)
    .setEventId(randomUUID())
    .setActionSource('website')
    .setEventSourceUrl(at.siteUrl)
    .setUserData(
      new UserData()
        .setEmails([shopper.email])
        .setPhones(['905321234567'])
        .setClientIpAddress(visitorAddress)
        .setClientUserAgent(userAgent),
    )
    .setCustomData(new CustomData().setValue(89.5).setCurrency('try').setContentIds(['sku-7']));
  const response = await new EventRequest(key, datasetId).setEvents([event]).execute();
  return response.events_received;
}

/** A call to paste into a shell. */
export function curlFor(eventsUrl: string, key: string, siteUrl: string): string {
  const event = {
    event_name: 'Lead',
    event_time: '$(date +%s)',
    action_source: 'website',
    event_source_url: siteUrl,
    user_data: { em: 'someone@posta.example', client_user_agent: 'curl' },
  };
  // The shell puts the time in, so the number stands outside quotes of its own.
  const json = JSON.stringify({ data: [event], access_token: key }).replace('"$(date +%s)"', '$(date +%s)');
  return `curl -sS ${eventsUrl} -H 'content-type: application/json' -d "${json.replaceAll('"', '\\"')}"`;
}
