import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { DeadLetterStore } from '../../../shared/gcp/dead-letter-store.ts';
import type { MatchQualityStore } from '../../../shared/gcp/match-quality-store.ts';
import type { RelayNumbers } from '../../../shared/gcp/relay-numbers.ts';
import type { ReplayStore } from '../../../shared/gcp/replay-store.ts';

/** What the API works with. */
export interface RelayAdminServices {
  readonly deadLetters: Pick<DeadLetterStore, 'read' | 'readHeads' | 'headPage' | 'count' | 'groups'>;
  readonly replays: Pick<ReplayStore, 'create' | 'read' | 'cancel' | 'judge' | 'replaysOf'>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  readonly counters: (tenantId: string, from: Date, to: Date) => Promise<RelayNumbers>;
  readonly matchQuality: Pick<MatchQualityStore, 'read' | 'daysSince'>;
  readonly newReplayId: () => string;
  readonly now: () => Date;
}
