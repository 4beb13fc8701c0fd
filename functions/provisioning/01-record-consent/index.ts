import { registerStep } from '../live.ts';
import { recordConsent } from './record-consent.ts';

registerStep('record-consent', recordConsent);
