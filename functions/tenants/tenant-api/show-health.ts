import { jsonAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import type { TenantServices } from './services.ts';

/** No tenant can have it: slugs begin with a letter. */
const nobody = '-';

/**
 * `GET /health`, for the smoke test of a deployment: whether this function, running as its own account, reaches the
 * database and the secret it signs links with. 200 when both, 503 with the part that is not.
 */
export function showHealth({
  tenants,
  connectUrl,
}: Pick<TenantServices, 'tenants' | 'connectUrl'>): HttpRoute['handle'] {
  const parts = { database: () => tenants.read(nobody), secrets: () => connectUrl(nobody) };
  return async ({ log }) => {
    const found = await Promise.all(
      Object.entries(parts).map(async ([part, reach]): Promise<[string, 'ok' | 'unreachable']> => {
        try {
          await reach();
          return [part, 'ok'];
        } catch (error) {
          log.error({ err: error, part }, 'health: a part cannot be reached');
          return [part, 'unreachable'];
        }
      }),
    );
    const isHealthy = found.every(([, state]) => state === 'ok');
    return jsonAnswer(isHealthy ? 200 : 503, {
      status: isHealthy ? 'ok' : 'unreachable',
      parts: Object.fromEntries(found),
    });
  };
}
