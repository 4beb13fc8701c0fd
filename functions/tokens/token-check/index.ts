import { http } from '@google-cloud/functions-framework';
import { scheduledFunction } from '../../../shared/runtime/scheduled-function.ts';
import { checkTokens } from './check-tokens.ts';
import manifest from './function.json' with { type: 'json' };
import { liveTokenCheck } from './live.ts';

let live: ReturnType<typeof liveTokenCheck> | undefined;
const built = (): ReturnType<typeof liveTokenCheck> => (live ??= liveTokenCheck('token-check'));

http(
  'token-check',
  scheduledFunction(manifest, built, () => checkTokens(built())),
);
