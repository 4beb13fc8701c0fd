/**
 * The permissions Kobi asks for. `pages_manage_posts` is in no list and never will be: Kobi does not publish organic
 * posts (ADR 0004).
 */

/** Of the client's person, at Facebook Login for Business. Catalogs are for the ecommerce SKU only. */
export function userPermissions(needs: { readonly catalog: boolean }): string[] {
  return [
    'business_management',
    'ads_management',
    'ads_read',
    'pages_show_list',
    'pages_read_engagement',
    'pages_manage_ads',
    'instagram_basic',
    ...(needs.catalog ? ['catalog_management'] : []),
  ];
}

/** Of the child business's system user. */
export function childTokenPermissions(needs: { readonly catalog: boolean }): string[] {
  return [
    'business_management',
    'ads_management',
    'ads_read',
    'pages_read_engagement',
    'pages_manage_ads',
    ...(needs.catalog ? ['catalog_management'] : []),
  ];
}
