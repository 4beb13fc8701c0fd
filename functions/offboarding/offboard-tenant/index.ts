import { registerTeardown } from '../live.ts';
import { eraseReports } from './erase-reports.ts';

registerTeardown('offboard-tenant', eraseReports);
