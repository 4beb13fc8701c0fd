import { registerStep } from '../live.ts';
import { migrateFallback } from './migrate-fallback.ts';

registerStep('migrate-fallback', migrateFallback);
