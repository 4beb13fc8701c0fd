import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { deauthorize } from './deauthorize.ts';
import { deleteData, showDeletion } from './delete-data.ts';
import type { WebhookServices } from './services.ts';
import { takeNotification } from './take-notification.ts';
import { verifySubscription } from './verify-subscription.ts';

/** Everything the function answers. All of it is public: Meta's signature is what lets a call in. */
export function webhookRoutes(services: WebhookServices): readonly HttpRoute[] {
  const open = { callers: 'public' } as const;
  return [
    { ...open, method: 'GET', path: '/ads', handle: verifySubscription(services) },
    { ...open, method: 'POST', path: '/ads', handle: takeNotification(services) },
    { ...open, method: 'POST', path: '/deauthorize', handle: deauthorize(services) },
    { ...open, method: 'POST', path: '/data-deletion', handle: deleteData(services) },
    { ...open, method: 'GET', path: '/data-deletion/{code}', handle: showDeletion(services) },
  ];
}
