import { cloudEvent } from '@google-cloud/functions-framework';
import { pubsubFunction } from '../../../shared/runtime/pubsub-function.ts';
import { liveCatalogSync } from './live.ts';
import { syncFeed } from './sync-feed.ts';

let live: ReturnType<typeof liveCatalogSync> | undefined;
const built = (): ReturnType<typeof liveCatalogSync> => (live ??= liveCatalogSync('catalog-sync'));

cloudEvent(
  'catalog-sync',
  pubsubFunction(
    'feed-updated',
    () => built().dependencies,
    (envelope) => syncFeed(envelope, built().services),
  ),
);
