/** What a source's mapper hands to the relay: events in Meta's wire format, nothing of them judged or hashed yet. */
export interface MappedBody {
  readonly events: readonly MappedEvent[];
  /** Calls that are no conversion (`identify`, `group`): nothing is wrong with them, and nothing is sent. */
  readonly ignored: readonly IgnoredCall[];
}

export interface MappedEvent {
  /** Position in the sender's own list, from 0; 0 for a single call. */
  readonly index: number;
  /** A server event of Meta, or whatever the sender put there, for the judge to refuse. */
  readonly event: unknown;
  /** Identifiers that were left out because Meta could never match them. */
  readonly warnings: readonly MappingWarning[];
}

export interface MappingWarning {
  readonly key: string;
  readonly code: string;
}

export interface IgnoredCall {
  readonly index: number;
  readonly reason: string;
}
