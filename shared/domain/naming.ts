/**
 * Names that Meta, Google and our own documents know a tenant by. Each is a pure function of the slug, so every step
 * can find again what an earlier attempt created.
 */

/** 3-32 characters: a lower-case letter, then letters, digits or single hyphens, ending in a letter or digit. */
export const slugPattern = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){2,31}$/;

/** What {@link slugPattern} asks for, in words for an error message. */
export const slugRule = '3-32 characters: lower-case letters, digits and single hyphens, starting with a letter';

/**
 * The name of the child Business Manager, of its ad account, pixel and catalog, and the value of
 * `child_business_external_id` (document, "Account model": `kobi_{tenant_slug}_meta`).
 */
export function metaObjectName(slug: string): string {
  return `kobi_${slug}_meta`;
}

/**
 * The names a child business is offered to Meta under, the first it takes: whether Meta takes `_` in a business name is not
 * documented; the public name is what it asks for.
 */
export function childBusinessNames(slug: string, publicName: string): string[] {
  return [...new Set([metaObjectName(slug), publicName, `${publicName} Kobi`])];
}

/** The admin system user that operates the child business (document, "Automation identity"). */
export function systemUserName(slug: string): string {
  return `kobi_${slug}_system_user`;
}

/** Secret ids, one per tenant and credential (Secret Manager allows letters, digits, `_` and `-`). */
export const secretName = {
  userToken: (tenantId: string): string => `meta-${tenantId}-user-token`,
  systemToken: (tenantId: string): string => `meta-${tenantId}-system-token`,
  relayKey: (tenantId: string): string => `relay-${tenantId}-key`,
  appSecret: 'meta-app-secret',
  parentToken: 'meta-parent-token',
  connectStateKey: 'connect-state-key',
  webhookVerifyToken: 'meta-webhook-verify-token',
  /** Where alerts are posted, and the key they are signed with; optional. */
  alertWebhook: 'alert-webhook',
} as const;
