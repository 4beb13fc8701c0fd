/**
 * The services of `fault-services.ts` in this process: the product's code over Google's Firestore client and the embedded
 * engine, the real Graph client and the simulator, without sockets, so that thousands of runs fit into minutes. Every place
 * where a process touches the world is a crossing (`process-life.ts`).
 */
import type { Firestore } from '@google-cloud/firestore';
import { createSecretsInUse } from '../../shared/gcp/secrets-in-use.ts';
import { createInProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import type { FirestoreCall, InProcessFirestore } from '../local/google/firestore/in-process-firestore.ts';
import { startSimulator } from '../simulator/server.ts';
import { epoch, faultProjectId as projectId, faultServices } from './fault-services.ts';
import type { FaultServices } from './fault-services.ts';
import { MemorySecrets } from './memory-secrets.ts';
import { ProcessLife } from './process-life.ts';
import { SimulatorDispatcher } from './simulator-dispatcher.ts';

export interface InProcessServices extends FaultServices {
  readonly firestore: InProcessFirestore;
  readonly secretManager: MemorySecrets;
}

export async function startInProcessServices(): Promise<InProcessServices> {
  const clock = { now: new Date(epoch) };
  const nowMs = (): number => clock.now.getTime();
  const firestore = createInProcessFirestore({ projectId, nowMs, lockIdleMs: 10 });
  const simulator = await startSimulator({ port: 0, now: () => clock.now });
  const db = firestore.connect();
  const secretManager = new MemorySecrets(createSecretsInUse(db));
  const connect = (life: ProcessLife): Firestore =>
    firestore.connect({
      before: (call) => life.cross({ ...crossingOf(call), when: 'before' }),
      after: (call) => life.cross({ ...crossingOf(call), when: 'after' }),
    });
  const services = faultServices({
    firestore,
    secretManager,
    simulator,
    db,
    clock,
    openSecrets: () => secretManager.open(new ProcessLife()),
    perProcess: {
      connect,
      openSecrets: (life) => secretManager.open(life),
      dispatcher: (life) => new SimulatorDispatcher(() => simulator.context, life),
    },
    close: () => simulator.close(),
  });
  return { ...services, firestore, secretManager };
}

function crossingOf({ method, ...call }: FirestoreCall) {
  return { place: 'firestore', name: method, writes: method === 'commit' || method === 'batchWrite', ...call } as const;
}
