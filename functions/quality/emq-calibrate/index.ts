import { http } from '@google-cloud/functions-framework';
import { readConfig } from '../../../shared/runtime/config.ts';
import { scheduledFunction } from '../../../shared/runtime/scheduled-function.ts';
import { liveQuality } from '../live.ts';
import type { LiveQuality } from '../live.ts';
import { calibrateModel } from './calibrate-model.ts';
import manifest from './function.json' with { type: 'json' };

let live: LiveQuality | undefined;
const built = (): LiveQuality =>
  (live ??= liveQuality('emq-calibrate', readConfig(['GOOGLE_CLOUD_PROJECT', 'LOG_LEVEL'])));

http(
  'emq-calibrate',
  scheduledFunction(manifest, built, () => calibrateModel(built())),
);
