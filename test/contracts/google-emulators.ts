/**
 * Google's own Firestore and Pub/Sub emulators, where this machine has them: a host named by the service's own variable, or the
 * emulator installed as a gcloud component. The contract suites run against these beside the embedded services.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';

export type GoogleEmulator = { host: string; close(): Promise<void> };

/** Starting takes 2 to 5 s; one that has not answered by then is given up and killed. */
const START_LIMIT_MS = 20_000;

type Service = {
  hostVariable: string;
  /** Folder of the jar below the Google Cloud SDK, the jar's name, and the class to run. */
  folder: string;
  jar: RegExp;
  mainClass: string;
  component: string;
};

const services: Record<'firestore' | 'pubsub', Service> = {
  firestore: {
    hostVariable: 'FIRESTORE_EMULATOR_HOST',
    folder: 'platform/cloud-firestore-emulator',
    jar: /^cloud-firestore-emulator.*\.jar$/,
    mainClass: 'com.google.cloud.datastore.emulator.firestore.CloudFirestore',
    component: 'cloud-firestore-emulator',
  },
  pubsub: {
    hostVariable: 'PUBSUB_EMULATOR_HOST',
    folder: 'platform/pubsub-emulator/lib',
    jar: /^cloud-pubsub-emulator.*\.jar$/,
    mainClass: 'com.google.cloud.pubsub.testing.v1.Main',
    component: 'pubsub-emulator',
  },
};

/**
 * Finds and, unless one already runs, starts an emulator. Answers a reason, fit to print, where there is none.
 * A started emulator ends with `close()`, and at the latest with this process, however that ends.
 */
export async function findGoogleEmulator(name: 'firestore' | 'pubsub'): Promise<GoogleEmulator | { reason: string }> {
  const service = services[name];
  const running = process.env[service.hostVariable];
  if (running) return { host: running, close: () => Promise.resolve() };

  const gcloud = onPath('gcloud');
  if (!gcloud) return { reason: `neither ${service.hostVariable} nor gcloud is there` };
  const folder = join(dirname(dirname(realpathSync(gcloud))), service.folder);
  const jar = existsSync(folder) ? readdirSync(folder).find((file) => service.jar.test(file)) : undefined;
  if (!jar) return { reason: `not installed: gcloud components install ${service.component}` };
  const java = onPath('java');
  if (!java) return { reason: 'java is not on the path' };
  return await start(java, join(folder, jar), service.mainClass);
}

async function start(java: string, jar: string, mainClass: string): Promise<GoogleEmulator | { reason: string }> {
  const port = await freePort();
  // The shell waits on a pipe from this process: when that closes, even by a crash here, it kills the emulator.
  const script = '"$@" >/dev/null 2>&1 & emulator=$!; cat >/dev/null; kill -9 $emulator';
  const command = [java, '-Duser.language=en', '-cp', jar, mainClass, '--host=127.0.0.1', `--port=${port}`];
  const child = spawn('sh', ['-c', script, 'sh', ...command], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // What is left of it must not keep a finished test run alive.
  child.unref();
  const close = async (): Promise<void> => {
    child.ref();
    child.stdin.end();
    await exited;
  };
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    if (Date.now() > deadline) {
      await close();
      return { reason: `did not start within ${START_LIMIT_MS / 1000} s` };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { host: `127.0.0.1:${port}`, close };
}

function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
