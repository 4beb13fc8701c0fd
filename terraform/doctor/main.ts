/**
 * `npm run doctor -- --env-file FILE`: looks at a deployed environment, says what is wrong and how to mend it, and ends
 * with 1 when anything is. `--subscribe` first subscribes the Meta app to the webhooks the environment takes.
 * `npm run doctor -- --local` starts the local stack and looks at that.
 *
 * The file holds the functions' variables: `terraform -chdir=terraform output -raw doctor_env > doctor.env`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { ConfigError, readConfig } from '../../shared/runtime/config.ts';
import { operatorToken } from '../../test/local/gateway.ts';
import { readManifests, repositoryRoot } from '../../test/local/manifests.ts';
import { startStack } from '../../test/local/stack.ts';
import type { Stack } from '../../test/local/stack.ts';
import { doctorVariables, examine, report, subscribeWebhooks } from './doctor.ts';
import type { DoctorOptions } from './doctor.ts';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { local: { type: 'boolean' }, subscribe: { type: 'boolean' }, 'env-file': { type: 'string' } },
  });
  const envFile = values['env-file'];
  let stack: Stack | undefined;
  try {
    if (values.local === true) {
      stack = await startStack({ port: 0, simulatorPort: 0, onLogLine: () => undefined });
    } else if (envFile !== undefined) {
      process.loadEnvFile(envFile);
    }
    const config = readConfig(doctorVariables);
    const manifests = (await readManifests()).map(({ manifest }) => manifest);
    if (values.subscribe === true) {
      const problem = await subscribeWebhooks({ config, manifests });
      process.stdout.write(problem === undefined ? 'Subscribed.\n' : `NOT SUBSCRIBED: ${problem}\n`);
    }
    const apis = await neededApis();
    const access = stack === undefined ? cloudAccess(config.FUNCTION_BASE_URL) : localAccess;
    const findings = await examine({ config, manifests, apis, ...(await access()) });
    process.stdout.write(report(findings));
    return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(
      `${error.message}\nGive them with --env-file FILE, or look at the local stack with --local.\n`,
    );
    return 1;
  } finally {
    await stack?.close();
  }
}

type Access = Pick<DoctorOptions, 'authorization' | 'google'>;

const localAccess = (): Promise<Access> =>
  Promise.resolve({
    authorization: `Bearer ${operatorToken}`,
    google: { missing: 'the local stack has no Service Usage API' },
  });

/** The caller's own credentials (`gcloud auth application-default login`). */
function cloudAccess(functionBaseUrl: string): () => Promise<Access> {
  return async () => {
    const { auth } = new SecretManagerServiceClient();
    const google = async (url: string): Promise<unknown> => (await auth.request({ url })).data;
    try {
      const client = await auth.getIdTokenClient(`${functionBaseUrl}/tenant-api`);
      const headers = await client.getRequestHeaders();
      return { authorization: headers.get('authorization') ?? { missing: 'Google gave no ID token' }, google };
    } catch {
      const missing =
        'no ID token of a service account: run with --impersonate-service-account credentials, see terraform/GO-LIVE.md';
      return { authorization: { missing }, google };
    }
  };
}

/** One source: what Terraform enables. */
async function neededApis(): Promise<string[]> {
  const text = await readFile(join(repositoryRoot, 'terraform', 'apis.tf'), 'utf8');
  return [...text.matchAll(/"([a-z]+\.googleapis\.com)"/g)].map(([, name]) => name ?? '');
}

process.exitCode = await main();
