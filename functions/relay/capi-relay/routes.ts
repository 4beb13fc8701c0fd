import { eventsRoutes } from './accept-events.ts';
import { browserRoutes } from './browser/routes.ts';
import { consentRoutes } from './decide-consent.ts';
import { alsoBySource, sourceRoutes } from './inputs/source-routes.ts';
import type { RelayRoute } from './route.ts';

/** Everything the relay answers, most used first: the first whose method and path fit takes the request. */
export const routes: readonly RelayRoute[] = [
  ...eventsRoutes.map(alsoBySource),
  ...browserRoutes,
  ...sourceRoutes,
  ...consentRoutes,
];
