import { registerTeardown } from '../live.ts';

registerTeardown('undo-run');
