/** Meta's own SDK for Node, which ships no types: the part a shop uses to send server events. */
import { createRequire } from 'node:module';

interface Settings<Self> {
  setEmails(values: readonly string[]): Self;
  setPhones(values: readonly string[]): Self;
  setFirstName(value: string): Self;
  setLastName(value: string): Self;
  setClientIpAddress(value: string): Self;
  setClientUserAgent(value: string): Self;
}

interface SdkUserData extends Settings<SdkUserData> {}

interface SdkCustomData {
  setValue(value: number): SdkCustomData;
  setCurrency(value: string): SdkCustomData;
  setContentIds(value: readonly string[]): SdkCustomData;
}

interface SdkServerEvent {
  setEventName(value: string): SdkServerEvent;
  setEventTime(value: number): SdkServerEvent;
  setEventId(value: string): SdkServerEvent;
  setActionSource(value: string): SdkServerEvent;
  setEventSourceUrl(value: string): SdkServerEvent;
  setUserData(value: SdkUserData): SdkServerEvent;
  setCustomData(value: SdkCustomData): SdkServerEvent;
}

/** What the SDK itself parsed out of the answer. */
interface SdkEventResponse {
  readonly events_received: number;
  readonly fbtrace_id: string;
}

interface SdkEventRequest {
  setEvents(events: readonly SdkServerEvent[]): SdkEventRequest;
  execute(): Promise<SdkEventResponse>;
}

export interface BusinessSdk {
  readonly UserData: new () => SdkUserData;
  readonly CustomData: new () => SdkCustomData;
  readonly ServerEvent: new () => SdkServerEvent;
  readonly EventRequest: new (accessToken: string, pixelId: string) => SdkEventRequest;
  readonly FacebookAdsApi: { readonly GRAPH: string; init(accessToken: string): unknown };
}

/** Loads the SDK with another host for `https://graph.facebook.com` and nothing else changed. */
export function businessSdkAt(host: string): BusinessSdk {
  const sdk = createRequire(import.meta.url)('facebook-nodejs-business-sdk') as BusinessSdk;
  Object.defineProperty(sdk.FacebookAdsApi, 'GRAPH', { get: () => host, configurable: true });
  return sdk;
}
