import { registerStep } from '../live.ts';
import { prepareOfflineEvents } from './prepare-offline-events.ts';

registerStep('prepare-offline-events', prepareOfflineEvents);
