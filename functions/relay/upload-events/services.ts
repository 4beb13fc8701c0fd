import type { UploadStore } from '../../../shared/gcp/upload-store.ts';
import type { AcceptDependencies } from '../capi-relay/take-events.ts';

/** What the function works with. */
export interface UploadServices {
  readonly uploads: UploadStore;
  /** The relay's own: a row goes the way of every other event. */
  readonly relay: AcceptDependencies;
  readonly randomBytes: (size: number) => Buffer;
}
