import { registerTeardown } from '../live.ts';

registerTeardown('offboard-tenant');
