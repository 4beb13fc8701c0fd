import { afterEach, describe, expect, it } from 'vitest';
import { secretName } from '../../../shared/domain/naming.ts';
import { Waiting } from '../../../shared/runtime/outcomes.ts';
import { startStepWorld } from '../../../test/provisioning/step-world.ts';
import type { StepWorld } from '../../../test/provisioning/step-world.ts';
import { GraphCaller } from '../../../test/simulator/graph-caller.ts';
import { seed } from '../../../test/simulator/seed.ts';
import type { Switches } from '../../../test/simulator/switches.ts';
import { partnerInvite } from './partner-invite.ts';

let world: StepWorld;
afterEach(() => world.close());

/** A child business without the client's Page; `admin` false: whoever connected may advertise only. */
async function childWithoutPage(options: { admin?: boolean; switches?: Partial<Switches> } = {}): Promise<string> {
  const { admin = true, switches = {} } = options;
  world = await startStepWorld({ switches: { shared_page_arrives: false, ...switches } });
  await world.prepare('record-consent');
  const person = world.simulator.store.get('user', seed.user.id);
  if (!admin) person.pageTasks.set(seed.page.id, ['ADVERTISE', 'ANALYZE']);
  await world.prepare('create-system-user');
  return world.simulator.store.all('business').find(({ parentId }) => parentId !== undefined)?.id ?? '';
}

const invite = () => world.rerun('partner-invite', partnerInvite);
const waitOf = async (): Promise<Waiting['outcome']['wait']> => {
  const thrown: unknown = await invite().catch((error: unknown) => error);
  if (!(thrown instanceof Waiting)) throw new Error('it does not wait', { cause: thrown });
  return thrown.outcome.wait;
};
const writes = (): string[] =>
  world.simulator.log
    .entries()
    .flatMap(({ method, operation }) => (method === 'POST' && operation ? [operation] : []))
    .filter((operation) => ['share_page_with_agency', 'request_client_page'].includes(operation));
const answerRequest = (businessId: string, decision: 'accept' | 'decline'): Promise<unknown> =>
  new GraphCaller(world.simulator.url).control('POST', '/client-pages', { businessId, pageId: seed.page.id, decision });

describe('partner-invite', () => {
  it('writes nothing where the Page came in with the consent, and says that it was not needed', async () => {
    world = await startStepWorld();
    await world.prepare('create-system-user');
    await expect(invite()).rejects.toMatchObject({ name: 'NotNeeded' });
    expect(writes()).toEqual([]);
  });

  it("shares the Page with the client's own token, for advertising and its numbers only, and nobody has to click", async () => {
    const child = await childWithoutPage();
    const { products } = await invite();
    expect(products).toEqual({ sharedPageId: seed.page.id });
    expect(world.simulator.store.get('page', seed.page.id).agencies.get(child)).toEqual(['ADVERTISE', 'ANALYZE']);
    await invite();
    expect(writes()).toEqual(['share_page_with_agency']);
  });

  it("asks the Page's admin where the person may not share it, says what to click, and goes on once that is done", async () => {
    const child = await childWithoutPage({ admin: false });
    const wait = await waitOf();
    expect(wait).toMatchObject({ on: 'client', for: 'page-request' });
    expect(wait.what).toContain('https://business.facebook.com/settings/requests');
    expect(wait.what).toContain(child);
    expect(wait.expiresAfterMs).toBe(30 * 24 * 60 * 60 * 1000);
    await waitOf();
    await answerRequest(child, 'accept');
    expect((await invite()).products).toEqual({ sharedPageId: seed.page.id });
    expect(writes()).toEqual(['share_page_with_agency', 'request_client_page']);
  });

  it.each([
    [
      'is dead',
      async () => {
        await new GraphCaller(world.simulator.url).control('POST', '/tokens/revoke', { ownerId: seed.user.id });
      },
    ],
    ['is gone', async () => void world.secrets.delete(secretName.userToken(world.tenant.tenantId))],
  ])("asks the Page's admin where the client's token %s", async (_what, lose) => {
    await childWithoutPage();
    await lose();
    expect(await waitOf()).toMatchObject({ on: 'client', for: 'page-request' });
  });

  it('tells how to share the Page by hand where Meta takes no request, and sees when it is done', async () => {
    const child = await childWithoutPage({ admin: false, switches: { client_pages_creatable: false } });
    const wait = await waitOf();
    expect(wait).toMatchObject({ on: 'client', for: 'page-share' });
    expect(wait.what).toContain(`Business ID ${child}`);
    await waitOf();
    expect(writes()).toHaveLength(2);
    const page = world.simulator.store.get('page', seed.page.id);
    page.agencies.set(child, ['ADVERTISE', 'ANALYZE']);
    world.simulator.store.get('business', child).clientPageIds.add(page.id);
    expect((await invite()).products).toEqual({ sharedPageId: seed.page.id });
  });

  it('does not ask again after a no: it says that it was declined', async () => {
    const child = await childWithoutPage({ admin: false });
    await waitOf();
    await answerRequest(child, 'decline');
    expect(await waitOf()).toMatchObject({ on: 'client', for: 'page-request-declined' });
    expect(writes()).toEqual(['share_page_with_agency', 'request_client_page']);
  });

  it('does not take trouble at Meta for a no', async () => {
    await childWithoutPage();
    world.simulator.faults.plant({ method: 'POST', path: '/{id}/agencies', error: { code: 2 } });
    await expect(invite()).rejects.toMatchObject({ class: 'transient' });
    expect(writes()).not.toContain('request_client_page');
  });
});
