import * as v from 'valibot';
import { ok, told, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

/** GETs JSON of a Google API with the caller's own credentials. */
export type GoogleGet = (url: string) => Promise<unknown>;

const services = v.object({
  services: v.optional(v.array(v.object({ config: v.object({ name: v.string() }) })), []),
  nextPageToken: v.optional(v.string()),
});

/** Holds the project's enabled APIs against those of `apis.tf` (Service Usage API, `services.list`). */
export async function checkApis(get: GoogleGet, projectId: string, needed: readonly string[]): Promise<Finding> {
  const subject = 'Google APIs';
  try {
    const enabled = new Set<string>();
    let pageToken = '';
    do {
      const url = new URL(`https://serviceusage.googleapis.com/v1/projects/${projectId}/services`);
      url.searchParams.set('filter', 'state:ENABLED');
      url.searchParams.set('pageSize', '200');
      if (pageToken !== '') url.searchParams.set('pageToken', pageToken);
      const page = v.parse(services, await get(url.href));
      for (const { config } of page.services) enabled.add(config.name);
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    const missing = needed.filter((name) => !enabled.has(name));
    if (missing.length === 0) return ok(subject, `${needed.length} enabled`);
    const mend = `gcloud services enable ${missing.join(' ')} --project ${projectId}`;
    return wrong(subject, `not enabled: ${missing.join(', ')}`, mend);
  } catch (error) {
    const mend = 'gcloud auth application-default login; the role roles/serviceusage.serviceUsageViewer is needed.';
    return wrong(subject, `cannot be listed: ${told(error)}`, mend);
  }
}

const health = v.object({ status: v.string(), parts: v.record(v.string(), v.string()) });

/**
 * Asks `tenant-api` whether it reaches database and secrets **as its own account**: what the doctor's caller may says
 * nothing about that.
 */
export async function checkHealth(url: string, authorization: string): Promise<Finding> {
  const subject = 'permissions of tenant-api';
  const deploy = 'Read the function’s log; Terraform gives its account the rights of its function.json.';
  try {
    const answer = await fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(30_000) });
    if (answer.status === 401 || answer.status === 403) {
      return wrong(
        subject,
        `it does not let the doctor in (${answer.status})`,
        'Be one of `operators` in env/*.tfvars.',
      );
    }
    const answered = v.safeParse(health, await answer.json());
    if (!answered.success)
      return wrong(subject, `answered ${answer.status} with something else than its health`, deploy);
    const unreachable = Object.entries(answered.output.parts).filter(([, state]) => state !== 'ok');
    if (unreachable.length === 0) return ok(subject, `it reaches ${Object.keys(answered.output.parts).join(' and ')}`);
    return wrong(subject, `it does not reach ${unreachable.map(([part]) => part).join(', ')}`, deploy);
  } catch (error) {
    return wrong(subject, `cannot be reached at ${url}: ${told(error)}`, deploy);
  }
}
