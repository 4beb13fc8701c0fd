/**
 * `node terraform/release/smoke.ts`: asks the deployed tenant-api whether it is healthy, as Google's IAM lets the
 * deployer in. Reads TENANT_API_URL. Ends with 1 and the answer when it is not.
 */
import { setTimeout as wait } from 'node:timers/promises';

export interface SmokeOptions {
  readonly url: string;
  /** An ID token for that address. */
  readonly token: () => Promise<string>;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** New rights take up to some minutes to reach every part of Google. */
const tries = 12;
const betweenMs = 15_000;

/** The last answer when it never was healthy; undefined when it is. */
export async function smokeTest({ url, token, sleep }: SmokeOptions): Promise<string | undefined> {
  let last = 'no answer';
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await sleep(betweenMs);
    try {
      const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${await token()}` } });
      if (answer.status === 200) return undefined;
      last = `${answer.status} ${(await answer.text()).slice(0, 500)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
  }
  return last;
}

async function main(): Promise<void> {
  const { TENANT_API_URL: url } = process.env;
  if (!url) throw new Error('TENANT_API_URL must be set');
  const token = async (): Promise<string> => {
    const identity = 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity';
    const answer = await fetch(`${identity}?audience=${encodeURIComponent(url)}&format=full`, {
      headers: { 'metadata-flavor': 'Google' },
    });
    return answer.text();
  };
  const complaint = await smokeTest({ url, token, sleep: (ms) => wait(ms) });
  process.stdout.write(
    complaint === undefined ? 'tenant-api is healthy\n' : `tenant-api is not healthy: ${complaint}\n`,
  );
  if (complaint !== undefined) process.exitCode = 1;
}

if (import.meta.main) await main();
