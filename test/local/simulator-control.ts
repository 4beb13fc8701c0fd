/** The Meta simulator's control API, over HTTP: what Meta cannot be asked, and what only the world outside can do. */
import * as v from 'valibot';
import type { AccountPlan } from '../simulator/insights/truth.ts';

const logSchema = v.object({
  total: v.number(),
  entries: v.array(
    v.looseObject({
      seq: v.number(),
      method: v.string(),
      path: v.string(),
      operation: v.optional(v.string()),
      token: v.looseObject({ kind: v.string() }),
      tokenIn: v.string(),
      status: v.number(),
    }),
  ),
});

const planSchema = v.object({
  seed: v.string(),
  since: v.string(),
  campaigns: v.number(),
  campaignNames: v.array(v.string()),
  adsPerCampaign: v.number(),
  cells: v.number(),
  timeZone: v.string(),
  minorDigits: v.picklist([0, 2]),
});

export type SimulatorLog = v.InferOutput<typeof logSchema>;

export class SimulatorControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Whether a simulator's control API is there. */
  static async answersAt(url: string): Promise<boolean> {
    try {
      const response = await fetch(`${url}/_sim/log?limit=1`, { signal: AbortSignal.timeout(2_000) });
      return response.ok && v.is(logSchema, await response.json());
    } catch {
      return false;
    }
  }

  /** Every Graph request so far, oldest first. */
  async log(): Promise<SimulatorLog> {
    return v.parse(logSchema, await this.#ask('GET', '/_sim/log'));
  }

  /** How many Graph requests came so far. */
  async callCount(): Promise<number> {
    return v.parse(logSchema, await this.#ask('GET', '/_sim/log?limit=1')).total;
  }

  /** Every object in the simulated world. */
  async state(): Promise<unknown> {
    return this.#ask('GET', '/_sim/state');
  }

  /** How many events a dataset accepted so far. */
  async acceptedEvents(datasetId: string): Promise<number> {
    const answer = await this.#ask('GET', `/_sim/events?dataset=${datasetId}&limit=0`);
    return v.parse(v.object({ accepted: v.number() }), answer).accepted;
  }

  /** The TXT records that are public for a name. */
  async txtRecords(domain: string): Promise<string[]> {
    const answer = await this.#ask('GET', `/_sim/dns?domain=${encodeURIComponent(domain)}`);
    return v.parse(v.object({ txt: v.array(v.string()) }), answer).txt;
  }

  /** Publishes a TXT record, as the client's DNS administrator. */
  async publishTxt(domain: string, txt: string): Promise<void> {
    await this.#ask('POST', '/_sim/dns', { domain, txt });
  }

  /** Meta's clock goes on by so much: what takes it a while is done. */
  async advanceClock(advanceMs: number): Promise<void> {
    await this.#ask('POST', '/_sim/clock', { advanceMs });
  }

  /** Two months of ads in an ad account; the plan that all its numbers follow from. */
  async plantInsights(adAccountId: string, timeZone: string): Promise<AccountPlan> {
    const answer = await this.#ask('POST', '/_sim/insights', { adAccountId, timeZone });
    return v.parse(v.object({ plan: planSchema }), answer).plan;
  }

  /** Tells Meta where the app takes what persons ask for, as on the app's dashboard. */
  async setCallbacks(webhookUrl: string): Promise<void> {
    await this.#ask('POST', '/_sim/callbacks', {
      deauthorize: `${webhookUrl}/deauthorize`,
      dataDeletion: `${webhookUrl}/data-deletion`,
    });
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${this.url}${path} answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
