import { registerStep } from '../live.ts';
import { linkPageAndInstagram } from './link-page-and-instagram.ts';

registerStep('link-page-and-instagram', linkPageAndInstagram);
