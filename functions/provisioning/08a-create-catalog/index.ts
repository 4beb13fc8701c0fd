import { registerStep } from '../live.ts';
import { createCatalogStep } from './create-catalog.ts';

registerStep('create-catalog', createCatalogStep);
