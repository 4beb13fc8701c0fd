import { describe, expect, it } from 'vitest';
import { defaultRelaySettings } from '../../../shared/contracts/relay-documents.ts';
import type { Dataset } from '../../../shared/contracts/relay-documents.ts';
import { secretName } from '../../../shared/domain/naming.ts';
import { readThrough } from '../../../shared/gcp/relay-directory.ts';
import { createTenantCredentials } from '../../../shared/runtime/tenant-credentials.ts';
import { datasetSender } from './dataset-sender.ts';

const destination = { tenantId: 'acme-shop', datasetId: '111' };
const written: Dataset = {
  ...destination,
  country: 'TR',
  vertical: 'ecommerce',
  createdAt: '2026-11-23T10:00:00.000Z',
  settings: defaultRelaySettings,
};

/** The dataset's document as `written` to, read through the relay's own memory, and both tokens in Secret Manager. */
function world(operator?: Dataset['operator'], tokens = [secretName.systemToken('acme-shop'), secretName.parentToken]) {
  const state = { dataset: { ...written, ...(operator && { operator }) }, nowMs: 0, reads: 0 };
  const read = async (): Promise<Dataset> => {
    state.reads += 1;
    return state.dataset;
  };
  const dataset = readThrough(read, { now: () => new Date(state.nowMs) });
  const latest = async (secretId: string) =>
    tokens.includes(secretId) ? { version: '1', value: `token-in-${secretId}` } : undefined;
  return { state, senderOf: datasetSender({ dataset }, createTenantCredentials({ secrets: { latest } })) };
}

describe('who sends for a dataset', () => {
  it.each([
    ['child', 'child'],
    ['fallback', 'fallback'],
    [undefined, 'child'],
  ] as const)('operated by %s is %s', async (operator, kind) => {
    expect((await world(operator).senderOf(destination)).kind).toBe(kind);
  });

  it('changes within half a minute of the dataset changing hands, for one read in that time', async () => {
    const { senderOf, state } = world('fallback');
    expect((await senderOf(destination)).kind).toBe('fallback');
    state.dataset = { ...state.dataset, operator: 'child' };
    state.nowMs = 28_000;
    expect((await senderOf(destination)).kind).toBe('fallback');
    expect(state.reads).toBe(1);
    state.nowMs = 30_000;
    expect((await senderOf(destination)).kind).toBe('child');
    expect(state.reads).toBe(2);
  });

  it('is nobody while that token is missing, and never the other one', async () => {
    const onlyParent = world('child', [secretName.parentToken]);
    await expect(onlyParent.senderOf(destination)).rejects.toMatchObject({ outcome: { wait: { for: 'child-token' } } });
    const onlyChild = world('fallback', [secretName.systemToken('acme-shop')]);
    await expect(onlyChild.senderOf(destination)).rejects.toMatchObject({ outcome: { wait: { for: 'parent-token' } } });
  });
});
