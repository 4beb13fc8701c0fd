import { CatalogUsage } from './catalog-buckets.ts';
import type { CatalogCall } from './catalog-buckets.ts';
import type { SimulatorClock } from './clock.ts';
import { throttled } from './graph-error.ts';
import type { Switches } from './switches.ts';

/**
 * Rate limits as Meta counts them: an hourly quota per business-use-case object (ads_management: 300 or 100,000 an hour)
 * and a score per ad account (a read 1, a write 3, decaying over 300 s; at most 60 or 9,000). Counters are windows that
 * restart, so every call costs O(1).
 */
interface Window {
  startMs: number;
  count: number;
}

const hourMs = 3_600_000;
const scoreWindowMs = 300_000;

const limits = {
  development_access: { hourly: 300, score: 60, blockS: 300 },
  standard_access: { hourly: 100_000, score: 9_000, blockS: 60 },
} as const;

export interface UsageTarget {
  /** Object the hourly quota belongs to: ad account or business; absent on plain Graph calls. */
  readonly quotaId: string | undefined;
  readonly adAccountId: string | undefined;
  /** Calls on a catalog have limits of their own. */
  readonly catalogCall?: CatalogCall | undefined;
  readonly isWrite: boolean;
  /** Reports have a budget of their own and leave the account's score alone. */
  readonly isInsights: boolean;
}

export class UsageMeter {
  readonly #clock: SimulatorClock;
  readonly #switches: Switches;
  readonly #hourly = new Map<string, Window>();
  readonly #scores = new Map<string, Window>();
  readonly catalogs: CatalogUsage;
  #app: Window = { startMs: 0, count: 0 };

  constructor(clock: SimulatorClock, switches: Switches) {
    this.#clock = clock;
    this.#switches = switches;
    this.catalogs = new CatalogUsage(clock, switches);
  }

  /** Counts a call; above a limit it throws the throttle error Meta answers with. */
  count({ quotaId, adAccountId, catalogCall, isWrite, isInsights }: UsageTarget): void {
    const limit = limits[this.#switches.ads_api_access_tier];
    this.#countForApp();
    if (catalogCall !== undefined) this.catalogs.count(catalogCall);
    if (isInsights) {
      this.#countReport(quotaId ?? '');
      return;
    }
    if (quotaId !== undefined) {
      const hour = this.#bump(this.#hourly.get(quotaId), hourMs, 1);
      this.#hourly.set(quotaId, hour);
      if (this.#switches.enforce_rate_limits && hour.count > limit.hourly) {
        throw throttled(80004, 2446079, this.#switches, 'There have been too many calls to this ad-account.');
      }
    }
    if (adAccountId !== undefined) {
      const score = this.#bump(this.#scores.get(adAccountId), scoreWindowMs, isWrite ? 3 : 1);
      this.#scores.set(adAccountId, score);
      if (this.#switches.enforce_rate_limits && score.count > limit.score) {
        throw throttled(17, 2446079, this.#switches, 'User request limit reached');
      }
    }
  }

  /** The usage headers of an answer; `regainMinutes` comes from a planted throttle. */
  headers({ quotaId, adAccountId, catalogCall, isInsights }: UsageTarget, regainMinutes = 0): Record<string, string> {
    if (isInsights) return this.#reportHeaders(quotaId ?? '', regainMinutes);
    const tier = this.#switches.ads_api_access_tier;
    const limit = limits[tier];
    const appPercent = percent(this.#app.count, this.#switches.app_calls_per_hour || 100_000);
    const headers: Record<string, string> = {
      'x-app-usage': JSON.stringify({ call_count: appPercent, total_time: 0, total_cputime: 0 }),
    };
    if (quotaId !== undefined) {
      const used = percent(this.#hourly.get(quotaId)?.count ?? 0, limit.hourly);
      headers['x-business-use-case-usage'] = JSON.stringify({
        [quotaId]: [
          {
            type: 'ads_management',
            call_count: regainMinutes > 0 ? 100 : used,
            total_cputime: 0,
            total_time: 0,
            estimated_time_to_regain_access: regainMinutes > 0 ? regainMinutes : this.#minutesLeft(quotaId, used),
            ads_api_access_tier: tier,
          },
        ],
      });
    }
    if (catalogCall !== undefined) {
      headers['x-business-use-case-usage'] = JSON.stringify({
        [catalogCall.catalogId]: [this.catalogs.entry(catalogCall, regainMinutes)],
      });
    }
    if (adAccountId !== undefined) {
      const score = this.#scores.get(adAccountId);
      const used = percent(score?.count ?? 0, limit.score);
      headers['x-ad-account-usage'] = JSON.stringify({
        acc_id_util_pct: used,
        reset_time_duration: used >= 100 ? limit.blockS : 0,
        ads_api_access_tier: tier,
      });
    }
    return headers;
  }

  /** Calls made although the app's budget of the hour was used up. */
  appRefused = 0;

  #countForApp(): void {
    this.#app = this.#bump(this.#app, hourMs, 1);
    const { app_calls_per_hour: limit, enforce_rate_limits: isEnforced } = this.#switches;
    if (limit === 0 || !isEnforced || this.#app.count <= limit) return;
    this.appRefused += 1;
    throw throttled(4, undefined, this.#switches, 'Application request limit reached');
  }

  /** Report calls made although the account's budget was used up. */
  reportsRefused = 0;
  /** The highest share of a report budget that was ever used, in percent. */
  highestReportPercent = 0;

  get #reportLimit(): number {
    const byTier = this.#switches.ads_api_access_tier === 'standard_access' ? 190_000 : 600;
    return this.#switches.insights_calls_per_hour || byTier;
  }

  #countReport(accountId: string): void {
    const name = `insights ${accountId}`;
    const hour = this.#bump(this.#hourly.get(name), hourMs, 1);
    this.#hourly.set(name, hour);
    this.highestReportPercent = Math.max(this.highestReportPercent, (hour.count * 100) / this.#reportLimit);
    if (this.#switches.enforce_rate_limits && hour.count > this.#reportLimit) {
      this.reportsRefused += 1;
      throw throttled(80000, 2446079, this.#switches, 'There have been too many calls from this ad-account.');
    }
  }

  #reportHeaders(accountId: string, regainMinutes: number): Record<string, string> {
    const tier = this.#switches.ads_api_access_tier;
    const name = `insights ${accountId}`;
    const used = percent(this.#hourly.get(name)?.count ?? 0, this.#reportLimit);
    const minutes = regainMinutes > 0 ? regainMinutes : this.#minutesLeft(name, used);
    const entry = { type: 'ads_insights', call_count: minutes > 0 ? 100 : used, total_cputime: 0, total_time: 0 };
    return {
      'x-fb-ads-insights-throttle': JSON.stringify({
        app_id_util_pct: 0,
        acc_id_util_pct: used,
        ads_api_access_tier: tier,
      }),
      'x-business-use-case-usage': JSON.stringify({
        [accountId]: [{ ...entry, estimated_time_to_regain_access: minutes, ads_api_access_tier: tier }],
      }),
    };
  }

  #minutesLeft(quotaId: string, used: number): number {
    const window = this.#hourly.get(quotaId);
    if (window === undefined || used < 100) return 0;
    return Math.ceil((window.startMs + hourMs - this.#clock.nowMs()) / 60_000);
  }

  #bump(window: Window | undefined, lengthMs: number, by: number): Window {
    const nowMs = this.#clock.nowMs();
    if (window === undefined || nowMs - window.startMs >= lengthMs) return { startMs: nowMs, count: by };
    window.count += by;
    return window;
  }
}

const percent = (count: number, limit: number): number => Math.min(100, Math.floor((count * 100) / limit));
