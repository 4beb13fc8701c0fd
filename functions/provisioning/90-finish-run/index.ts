import { registerStep } from '../live.ts';
import { finishRun } from './finish-run.ts';

registerStep('finish-run', finishRun);
