/**
 * The whole system on this machine: Google's services, the Meta simulator, every function, and what Terraform would have
 * created. One stack per process, because functions read their environment once, as an instance in the cloud does.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { signConnectLink } from '../../shared/domain/connect-link.ts';
import { startSimulator } from '../simulator/server.ts';
import type { Simulator } from '../simulator/server.ts';
import { seed } from '../simulator/seed.ts';
import { startChildProcessFunction } from './child-process-function.ts';
import { startDnsServer } from './dns-server.ts';
import { checkGivenVariables, functionEnvironment, googleLibraryEnvironment } from './environment.ts';
import { PortBusy, startFunctionHost } from './function-host.ts';
import { sendFunctionLogsTo } from './function-logs.ts';
import { startGoogleServices } from './google-services.ts';
import type { GoogleServices } from './google-services.ts';
import { startInProcessFunction } from './in-process-function.ts';
import { startLocalScheduler } from './local-scheduler.ts';
import { readManifests, repositoryRoot } from './manifests.ts';
import type { FunctionFolder } from './manifests.ts';
import {
  createPlatformSecrets,
  createQueue,
  createTopicsAndSubscriptions,
  subscribeMetaApp,
  writeReadiness,
} from './platform.ts';
import { SimulatorControl } from './simulator-control.ts';

export interface StackOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly simulatorPort: number;
  readonly graphUrl?: string;
  readonly emulators?: 'embedded' | 'google';
  /** One process per function; their log lines then go to standard error, whatever `onLogLine` is. */
  readonly processes?: boolean;
  /** The code that is deployed, bundled anew, instead of the source. */
  readonly bundles?: boolean;
  /** What a person set; `process.env` unless told. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Gets every log line of the functions; standard error unless told. */
  readonly onLogLine?: (line: string) => void;
}

export interface Stack {
  /** `http://127.0.0.1:PORT`, before `/<function-name>`. */
  readonly url: string;
  readonly graphUrl: string;
  readonly functions: readonly FunctionFolder[];
  readonly google: GoogleServices;
  /** The simulator behind `graphUrl`, or the local one when none answers there. */
  readonly simulator: SimulatorControl;
  /** The simulator itself, when it is this stack's own: for tests that look further than its control API lets them. */
  readonly ownSimulator: Simulator | undefined;
  /** Runs a Cloud Scheduler job now, also when its slot is finished, and returns its report. */
  runSchedule(functionName: string): Promise<unknown>;
  /** Ends everything it started. */
  close(): Promise<void>;
}

let isStarted = false;
const closingPatienceMs = 2_000;

/**
 * Starts it; resolves when everything listens and every function is loaded.
 *
 * @throws ConfigError, ManifestError, PortBusy, EmulatorMissing: each says what to change. Whatever had started is ended.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  if (isStarted) throw new Error('One stack per process: the functions of this one already read their environment.');
  isStarted = true;
  const given = options.environment ?? process.env;
  checkGivenVariables(given);
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };

  try {
    const functions = options.bundles === true ? await bundled(closers) : await readManifests();
    const graph = await startMeta(options, given, closers);
    const google = await startGoogleServices(options.emulators ?? 'embedded');
    closers.push(() => google.close());
    const { projectId, hosts } = google;
    const dns = await startDnsServer((name) => graph.control.txtRecords(name));
    closers.push(() => dns.close());

    let connectStateKey = '';
    const host = await startFunctionHost({
      port: options.port,
      redirect: async (functionName, url) => {
        const tenant = url.searchParams.get('tenant');
        if (functionName !== 'connect-meta' || !url.pathname.endsWith('/start') || tenant === null) return undefined;
        if (url.searchParams.has('link')) return undefined;
        // The Kobi portal, which knows its logged-in client, would have attached the signed link.
        url.searchParams.set('link', signConnectLink(connectStateKey, tenant, new Date()));
        return `${url.pathname}${url.search}`;
      },
    });
    closers.push(() => host.close());

    const environment = functionEnvironment(given, seed, {
      projectId,
      host: host.url,
      graph: graph.url,
      dialog: graph.dialogUrl,
      dns: dns.host,
      ...hosts,
    });
    Object.assign(process.env, environment, googleLibraryEnvironment);
    sendFunctionLogsTo(options.onLogLine ?? ((line) => void process.stderr.write(line)));

    await Promise.all([
      createTopicsAndSubscriptions(projectId, functions, host.url),
      createQueue(projectId, environment.FUNCTION_REGION, hosts.cloudTasks),
      writeReadiness(projectId),
    ]);
    const made = await createPlatformSecrets(projectId, hosts.secretManager, {
      appSecret: seed.appSecret,
      parentToken: seed.parentSystemUserToken,
    });
    ({ connectStateKey } = made);
    await host.mount(functions, options.processes === true ? startChildProcessFunction : startInProcessFunction);
    await graph.control.setCallbacks(`${host.url}/meta-webhook`);
    await subscribeMetaApp(graph.control.url, `${host.url}/meta-webhook/ads`, made.webhookVerifyToken);
    const scheduler = startLocalScheduler({
      functions,
      hostUrl: host.url,
      onFailure: (runId, error) => process.stderr.write(`scheduled ${runId} failed: ${String(error)}\n`),
    });
    closers.push(async () => {
      scheduler.close();
      // What was pushed is finished first: a function cut off in the middle would log that its services are gone.
      google.pubsub?.pause();
      await Promise.race([google.pubsub?.settled(), delay(closingPatienceMs, undefined, { ref: false })]);
    });
    return {
      url: host.url,
      graphUrl: graph.url,
      functions,
      google,
      simulator: graph.control,
      ownSimulator: graph.own,
      runSchedule: (name) => scheduler.run(name),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The code of every function as it is deployed, until the stack closes. */
async function bundled(closers: (() => Promise<void> | void)[]): Promise<FunctionFolder[]> {
  // esbuild is needed by nothing else here.
  const { bundleTogether } = await import('../bundles/build.ts');
  // Inside the repository, so that what stays outside a bundle is found.
  const outDir = await mkdtemp(join(repositoryRoot, 'node_modules', '.kobi-build-'));
  closers.push(() => rm(outDir, { recursive: true }));
  const functions = await readManifests();
  const sources = functions.map(({ manifest, indexPath }) => ({ name: manifest.name, indexPath }));
  // pino stays the one that `sendFunctionLogsTo` knows.
  await bundleTogether(sources, outDir, ['pino']);
  return functions.map((each) => ({ ...each, indexPath: join(outDir, `${each.manifest.name}.js`) }));
}

/** Meta: the given address, or the simulator of this stack; and whose control API answers for it. */
async function startMeta(
  options: StackOptions,
  given: Readonly<Record<string, string | undefined>>,
  closers: (() => Promise<void> | void)[],
): Promise<{ url: string; dialogUrl: string; control: SimulatorControl; own: Simulator | undefined }> {
  const elsewhere = options.graphUrl ?? (given['META_GRAPH_URL'] || undefined);
  const dialog = given['META_DIALOG_URL'] || undefined;
  if (elsewhere !== undefined && (await SimulatorControl.answersAt(elsewhere))) {
    return { url: elsewhere, dialogUrl: dialog ?? elsewhere, control: new SimulatorControl(elsewhere), own: undefined };
  }
  const local = await startSimulator({ port: options.simulatorPort }).catch((error: unknown) => {
    const isBusy = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw isBusy ? new PortBusy(options.simulatorPort, '--simulator-port') : error;
  });
  closers.push(() => local.close());
  const url = elsewhere ?? local.url;
  // What was asked may be a proxy in front of the simulator that has just started.
  const control = (await SimulatorControl.answersAt(url)) ? url : local.url;
  return { url, dialogUrl: dialog ?? url, control: new SimulatorControl(control), own: local };
}
