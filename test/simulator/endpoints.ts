import { adAccountEndpoints } from './ad-accounts.ts';
import { appSubscriptionEndpoints } from './app-subscriptions.ts';
import {
  adAccountUserEndpoints,
  catalogUserEndpoints,
  pageUserEndpoints,
  pixelUserEndpoints,
} from './assigned-users.ts';
import { businessEndpoints } from './businesses.ts';
import { catalogHealthEndpoints } from './catalog-health.ts';
import { catalogItemEndpoints } from './catalog-items.ts';
import { campaignEndpoints } from './campaigns.ts';
import { catalogEndpoints } from './catalogs.ts';
import { conversionEndpoints } from './conversions.ts';
import { creditLineEndpoints } from './credit-lines.ts';
import { datasetQualityEndpoints } from './dataset-quality.ts';
import { domainEndpoints } from './domains.ts';
import type { Endpoint, Method } from './endpoint.ts';
import { instagramEndpoints } from './instagram.ts';
import { insightsEndpoints } from './insights/report-runs.ts';
import { oauthEndpoints } from './oauth.ts';
import { pageEndpoints } from './pages.ts';
import { pixelSharingEndpoints } from './pixel-sharing.ts';
import { pixelEndpoints } from './pixels.ts';
import { productSetEndpoints } from './product-sets.ts';
import { subscribedAppEndpoints } from './subscribed-apps.ts';
import { systemUserEndpoints } from './system-users.ts';
import { userEndpoints } from './users.ts';
import type { NodeKind } from './world.ts';

/** Every edge the simulator serves. */
export const endpoints: readonly Endpoint[] = [
  ...oauthEndpoints,
  ...appSubscriptionEndpoints,
  ...userEndpoints,
  ...businessEndpoints,
  ...systemUserEndpoints,
  ...creditLineEndpoints,
  ...adAccountEndpoints,
  ...adAccountUserEndpoints,
  ...subscribedAppEndpoints,
  ...campaignEndpoints,
  ...pixelEndpoints,
  ...pixelSharingEndpoints,
  ...pixelUserEndpoints,
  ...conversionEndpoints,
  ...datasetQualityEndpoints,
  ...pageEndpoints,
  ...pageUserEndpoints,
  ...instagramEndpoints,
  ...catalogEndpoints,
  ...catalogUserEndpoints,
  ...catalogItemEndpoints,
  ...catalogHealthEndpoints,
  ...productSetEndpoints,
  ...domainEndpoints,
  ...insightsEndpoints,
];

const keyOf = (method: Method, on: NodeKind | 'root', edge: string | undefined): string =>
  `${method} ${on}/${edge ?? ''}`;

const byKey = new Map(endpoints.map((endpoint) => [keyOf(endpoint.method, endpoint.on, endpoint.edge), endpoint]));

/** The edge declared for a method on a type of node, if there is one. */
export const endpointFor = (method: Method, on: NodeKind | 'root', edge: string | undefined): Endpoint | undefined =>
  byKey.get(keyOf(method, on, edge));
