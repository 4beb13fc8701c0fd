import { http } from '@google-cloud/functions-framework';
import { scheduledFunction } from '../../../shared/runtime/scheduled-function.ts';
import manifest from './function.json' with { type: 'json' };
import { liveInsightsReport } from './live.ts';
import { openReports } from './open-reports.ts';

let live: ReturnType<typeof liveInsightsReport> | undefined;
const built = (): ReturnType<typeof liveInsightsReport> => (live ??= liveInsightsReport('insights-report'));

http(
  'insights-report',
  scheduledFunction(manifest, built, (run) => openReports(built(), run)),
);
