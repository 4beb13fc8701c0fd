import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { cancelReplay, showReplay } from './replays.ts';
import type { RelayAdminServices } from './services.ts';
import { showCounters } from './show-counters.ts';
import { showMatchQuality } from './show-match-quality.ts';
import { groupDeadLetters, listDeadLetters, showDeadLetter } from './show-dead-letters.ts';
import { startReplay } from './start-replay.ts';

/** Everything the function answers. */
export function relayAdminRoutes(services: RelayAdminServices): readonly HttpRoute[] {
  const iam = { callers: 'iam' } as const;
  return [
    { ...iam, method: 'GET', path: '/dead-letters', handle: listDeadLetters(services) },
    { ...iam, method: 'GET', path: '/dead-letters/groups', handle: groupDeadLetters(services) },
    { ...iam, method: 'GET', path: '/dead-letters/{deadLetter}', handle: showDeadLetter(services) },
    { ...iam, method: 'POST', path: '/replays', handle: startReplay(services) },
    { ...iam, method: 'GET', path: '/replays/{replay}', handle: showReplay(services) },
    { ...iam, method: 'POST', path: '/replays/{replay}/cancel', handle: cancelReplay(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/counters', handle: showCounters(services) },
    { ...iam, method: 'GET', path: '/tenants/{tenant}/match-quality', handle: showMatchQuality(services) },
  ];
}
