import { beforeEach, expect, test } from 'vitest';
import { createInProcessFirestore } from '../../test/local/google/firestore/in-process-firestore.ts';
import { tenantOf } from '../../test/tokens/token-world.ts';
import { paths } from '../contracts/documents.ts';
import { readCatalogAssets } from './tenant-assets.ts';

const firestore = createInProcessFirestore({ projectId: 'kobi-assets' });
const db = firestore.connect();
beforeEach(() => firestore.clear());

const run = (runId: string, path: 'fallback' | 'two-tier') => ({
  runId,
  tenantId: 'acme',
  path,
  state: 'running',
  sagaVersion: 1,
  startedAt: '2026-11-25T10:00:00.000Z',
  finishedAt: null,
  connection: 1,
  cancellation: null,
});

test('a live tenant works with what it is operated with, also while a second run moves it', async () => {
  const assets = {
    runId: 'run-1',
    operator: 'fallback',
    businessId: '1',
    adAccountId: 'act_1',
    datasetId: '7',
    catalogId: '9',
  } as const;
  const tenant = tenantOf({ tenantId: 'acme', slug: 'acme', assets, currentRunId: 'run-1-two-tier' });
  await db.doc(paths.tenant('acme')).set(tenant);
  await db.doc(paths.run('acme', 'run-1-two-tier')).set(run('run-1-two-tier', 'two-tier'));
  expect(await readCatalogAssets(db, 'acme')).toMatchObject({ operator: 'fallback', catalogId: '9', datasetId: '7' });
});

test('a tenant on its way has what its run has made so far, and is operated as its path says', async () => {
  expect(await readCatalogAssets(db, 'acme')).toBeUndefined();
  await db.doc(paths.tenant('acme')).set(tenantOf({ tenantId: 'acme', slug: 'acme', currentRunId: 'run-1' }));
  await db.doc(paths.run('acme', 'run-1')).set(run('run-1', 'fallback'));
  expect(await readCatalogAssets(db, 'acme')).toEqual({ operator: 'fallback', catalogId: null, datasetId: null });
});
