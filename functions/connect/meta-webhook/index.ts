import { http } from '@google-cloud/functions-framework';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { liveWebhook } from './live.ts';
import { webhookRoutes } from './routes.ts';

let live: ReturnType<typeof liveWebhook> | undefined;
const built = (): ReturnType<typeof liveWebhook> => (live ??= liveWebhook('meta-webhook'));

http(
  'meta-webhook',
  httpFunction(() => ({ ...built().host, routes: webhookRoutes(built().services), maxBodyBytes })),
);

/** A thousand changes. */
const maxBodyBytes = 4 * 1024 * 1024;
