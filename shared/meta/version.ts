/**
 * The Graph API version every call is made with.
 *
 * Changelog and end dates: https://developers.facebook.com/docs/graph-api/changelog/versions
 * v25.0 (2026-02-18) is the version Meta's published API specification describes; v24.0 expires for Marketing calls on
 * 2026-10-06 with error 2635. v26.0 (2026-07-29) drops legacy protocol behaviours, so nothing here uses unversioned paths or
 * method overrides.
 */
export const graphVersion = 'v25.0';
