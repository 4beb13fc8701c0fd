import { registerStep } from '../live.ts';
import { createAdAccountStep } from './create-ad-account.ts';

registerStep('create-ad-account', createAdAccountStep);
