import { registerStep } from '../live.ts';
import { verifyDomain } from './verify-domain.ts';

registerStep('verify-domain', verifyDomain);
