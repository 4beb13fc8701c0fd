/** Ads: what their links carry, and how they fare (Marketing API, "Ad", "Ad Creative"). */
import * as v from 'valibot';
import { adAccountNodeId } from './ad-accounts.ts';
import { graphId } from './answers.ts';
import type { CredentialFor } from './credentials.ts';
import type { GraphAs } from './graph-client.ts';
import { graphPath } from './graph-body.ts';

export interface AdTags {
  readonly adId: string;
  readonly name: string;
  /** `url_tags` of the ad's creative; null when it has none. */
  readonly urlTags: string | null;
}

/** `GET /act_…/ads`, every one, with the tags of its creative. @throws GraphError */
export async function readAdTags(
  graph: GraphAs<CredentialFor<'read-insights'>>,
  adAccountId: string,
): Promise<AdTags[]> {
  const item = v.object({
    id: graphId,
    name: v.optional(v.string(), ''),
    creative: v.optional(v.object({ url_tags: v.optional(v.string()) })),
  });
  const path = graphPath(adAccountNodeId(adAccountId), 'ads');
  const ads = await graph.list(path, { fields: 'id,name,creative{url_tags}' }, item);
  return ads.map(({ id, name, creative }) => ({ adId: id, name, urlTags: creative?.url_tags ?? null }));
}

/**
 * `GET /{campaign, ad set or ad}?fields=effective_status`: whether it delivers, its parents considered; undefined when Meta
 * does not say. @throws GraphError
 */
export async function readEffectiveStatus(
  graph: GraphAs<CredentialFor<'read-ad-object'>>,
  objectId: string,
): Promise<string | undefined> {
  const state = v.object({ effective_status: v.optional(v.string()) });
  return (await graph.get(graphPath(objectId), { fields: 'effective_status' }, state)).effective_status;
}
