import { registerStep } from '../live.ts';
import { createPixelStep } from './create-pixel.ts';

registerStep('create-pixel', createPixelStep);
