import { registerStep } from '../live.ts';
import { partnerInvite } from './partner-invite.ts';

registerStep('partner-invite', partnerInvite);
