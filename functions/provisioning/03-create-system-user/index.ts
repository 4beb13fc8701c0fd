import { registerStep } from '../live.ts';
import { createSystemUser } from './create-system-user.ts';

registerStep('create-system-user', createSystemUser);
