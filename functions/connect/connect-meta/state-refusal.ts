import type { StateVerdict } from '../../../shared/gcp/connect-state-store.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import { refusalPage } from './pages.ts';

/** Why a state or choice was refused. Nothing was stored. */
export function stateRefusal(kind: Exclude<StateVerdict['kind'], 'ok'>, startUrl?: string): HttpAnswer {
  switch (kind) {
    case 'foreign':
      return refusalPage(
        403,
        'Not the same browser',
        'This connection was started in another browser. Start and finish it in one browser, with cookies allowed.',
      );
    case 'used':
      return refusalPage(
        400,
        'Already used',
        'This step was already taken. If you saw that Kobi is connected, there is nothing more to do; otherwise start again.',
        startUrl,
      );
    case 'expired':
      return refusalPage(
        400,
        'That took too long',
        'The connection was started more than 15 minutes ago. Start it again from the Kobi portal.',
      );
    case 'unknown':
      return refusalPage(
        400,
        'Unknown connection',
        'Kobi did not start this connection. Start it from the Kobi portal.',
      );
  }
}
