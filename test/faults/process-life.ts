/** Where a process touches the world outside itself: the places at which it can die, wait, or meet a fault. */
export interface Crossing {
  /** `deliver`: a message is handed over; `acknowledge`: the function has returned. */
  readonly place: 'deliver' | 'firestore' | 'graph' | 'secrets' | 'publish' | 'acknowledge';
  readonly when: 'before' | 'after';
  /** `commit`, `POST /act_1/adspixels`, `add meta-acme-system-token`, a topic. */
  readonly name: string;
  /** Whether it changes something there. */
  readonly writes: boolean;
  /** The topic of the message that is being handled; empty between messages. */
  readonly topic: string;
  /** A Firestore request, for whoever must know what is written. */
  readonly request?: object;
  /** How many documents Firestore answered a read with. */
  readonly documents?: number;
}

/** What a proof does at a crossing: nothing, let the process die, wait, or throw what the process then sees. */
export type AtCrossing = (crossing: Crossing, life: ProcessLife) => void | Promise<void>;

/**
 * One process as the world around it sees it. Once dead it stays where it is: what it waits for never comes, and nothing it
 * does reaches anybody, exactly as after SIGKILL.
 */
export class ProcessLife {
  readonly death: Promise<'dead'>;
  topic = '';
  #die: () => void = () => undefined;
  #isDead = false;
  readonly #atCrossing: AtCrossing | undefined;

  constructor(atCrossing?: AtCrossing) {
    this.#atCrossing = atCrossing;
    this.death = new Promise((resolve) => {
      this.#die = () => resolve('dead');
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  die(): void {
    this.#isDead = true;
    this.#die();
  }

  /** Resolves when the process may go on; never, once it is dead. */
  async cross(crossing: Omit<Crossing, 'topic'>): Promise<void> {
    if (!this.#isDead) await this.#atCrossing?.({ ...crossing, topic: this.topic }, this);
    if (this.#isDead) await new Promise<never>(() => undefined);
  }
}
