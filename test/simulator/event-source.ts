import type { Shape } from './field-selection.ts';
import type { Pixel } from './world.ts';

/** A pixel as a catalog sees it. */
export const eventSource: Shape<Pixel> = {
  name: 'ExternalEventSource',
  defaults: ['id', 'name', 'source_type'],
  empty: new Set(),
  fields: { id: (pixel) => pixel.id, name: (pixel) => pixel.name, source_type: () => 'PIXEL' },
};
