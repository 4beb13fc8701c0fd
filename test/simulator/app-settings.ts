/** One object's webhooks: an app has one subscription per type of object. */
export interface AppSubscription {
  readonly object: string;
  callbackUrl: string;
  readonly fields: Set<string>;
  includeValues: boolean;
  /** Meta stops a subscription whose address has failed for long. */
  isActive: boolean;
}

/** What the app's owner set, on the dashboard or over Graph. Survives a reset of the world. */
export interface AppSettings {
  deauthorize?: string;
  dataDeletion?: string;
  /** By type of object. */
  readonly subscriptions: Map<string, AppSubscription>;
}
