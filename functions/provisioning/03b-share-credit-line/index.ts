import { registerStep } from '../live.ts';
import { shareCreditLineStep } from './share-credit-line.ts';

registerStep('share-credit-line', shareCreditLineStep);
