import { http } from '@google-cloud/functions-framework';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { liveConnect } from '../live.ts';
import { problemPage } from './pages.ts';
import { connectRoutes } from './routes.ts';

let live: ReturnType<typeof liveConnect> | undefined;
const built = (): ReturnType<typeof liveConnect> => (live ??= liveConnect('connect-meta'));

http(
  'connect-meta',
  httpFunction(() => ({ ...built().host, routes: connectRoutes(built().services), answerProblem: problemPage })),
);
