import { registerStep } from '../live.ts';
import { createChildBusinessStep } from './create-child-business.ts';

registerStep('create-child-business', createChildBusinessStep);
