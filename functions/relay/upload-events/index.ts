import { http } from '@google-cloud/functions-framework';
import { httpFunction } from '../../../shared/runtime/http-function.ts';
import { liveUploads } from './live.ts';
import { uploadRoutes } from './routes.ts';

let live: ReturnType<typeof liveUploads> | undefined;
const built = (): ReturnType<typeof liveUploads> => (live ??= liveUploads('upload-events'));

http(
  'upload-events',
  httpFunction(() => ({ ...built().host, routes: uploadRoutes(built().services) })),
);
