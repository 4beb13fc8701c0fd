import { afterEach, describe, expect, test } from 'vitest';
import { startFunctionHost } from './function-host.ts';
import type { FunctionHost, FunctionHostOptions } from './function-host.ts';
import type { FunctionFolder } from './manifests.ts';

const hosts: FunctionHost[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

const folder = (name: string, callers: FunctionFolder['manifest']['callers'] = 'public'): FunctionFolder => ({
  manifest: {
    name,
    trigger: { http: ['/'] },
    callers,
    emits: [],
    timeoutSeconds: 10,
    memoryMiB: 256,
    concurrency: 1,
    secrets: [],
    variables: [],
    why: 'answers what it was asked',
  },
  folder: `functions/x/${name}`,
  indexPath: `/nowhere/${name}/index.ts`,
});

async function hostOf(
  folders: readonly FunctionFolder[],
  redirect?: FunctionHostOptions['redirect'],
): Promise<FunctionHost> {
  const host = await startFunctionHost({ port: 0, ...(redirect !== undefined && { redirect }) });
  hosts.push(host);
  await host.mount(folders, async ({ manifest }) => ({
    handle: (request, response) =>
      void response.end(JSON.stringify({ name: manifest.name, url: request.url, headers: request.headers })),
    close: () => Promise.resolve(),
  }));
  return host;
}

describe('the function host', () => {
  test.each([
    ['/echo', '/'],
    ['/echo/', '/'],
    ['/echo?a=1', '/?a=1'],
    ['/echo/123/events?a=1', '/123/events?a=1'],
    ['/echo/echo', '/echo'],
  ])('%s reaches the function as %s', async (asked, seen) => {
    const host = await hostOf([folder('echo'), folder('other')]);
    const answer = await fetch(`${host.url}${asked}`);
    expect(await answer.json()).toMatchObject({ name: 'echo', url: seen });
  });

  test('an unknown function is a 404 that lists the functions there are', async () => {
    const host = await hostOf([folder('echo')]);
    const answer = await fetch(`${host.url}/ecoh/x`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ functions: [`${host.url}/echo`] });
  });

  test('a function behind IAM is not reached without the operator’s token', async () => {
    const host = await hostOf([folder('guarded', 'iam')]);
    expect((await fetch(`${host.url}/guarded`)).status).toBe(401);
    const answer = await fetch(`${host.url}/guarded`, { headers: { authorization: 'Bearer dev-operator' } });
    expect(answer.status).toBe(200);
  });

  test('a redirect of the portal comes before the function, with the caller’s path kept', async () => {
    const host = await hostOf([folder('echo')], async (name, url) =>
      url.searchParams.has('link') ? undefined : `${url.pathname}?link=${name}`,
    );
    const answer = await fetch(`${host.url}/echo/start`);
    expect(await answer.json()).toMatchObject({ url: '/start?link=echo' });
  });

  test('the root lists every function with its addresses', async () => {
    const host = await hostOf([folder('echo')]);
    const index = await (await fetch(`${host.url}/`)).json();
    expect(index).toMatchObject({ functions: [{ name: 'echo', addresses: [`${host.url}/echo/`] }] });
  });

  test('a port in use is refused by number, with the option that chooses another', async () => {
    const host = await hostOf([]);
    await expect(startFunctionHost({ port: host.port })).rejects.toThrow(`Port ${host.port} is in use`);
    await expect(startFunctionHost({ port: host.port })).rejects.toThrow('--port N');
  });

  test('one function that does not start stops the mounting', async () => {
    const host = await startFunctionHost({ port: 0 });
    hosts.push(host);
    const mounting = host.mount([folder('broken')], () => Promise.reject(new Error('no such file')));
    await expect(mounting).rejects.toThrow('no such file');
    expect((await fetch(`${host.url}/broken`)).status).toBe(503);
  });
});
