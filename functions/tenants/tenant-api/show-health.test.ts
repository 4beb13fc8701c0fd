import { expect, test } from 'vitest';
import type { HttpCall } from '../../../shared/runtime/http-function.ts';
import { createLogger } from '../../../shared/runtime/logger.ts';
import { showHealth } from './show-health.ts';
import type { TenantServices } from './services.ts';

const lines: string[] = [];
const log = createLogger({ level: 'info', functionName: 'test', destination: { write: (line) => lines.push(line) } });
const call = { log } as unknown as HttpCall;
const tenants = { read: async () => undefined } as unknown as TenantServices['tenants'];
const connectUrl = async (): Promise<string> => 'https://connect.example/start';

test('health is 200 when database and secret are reached', async () => {
  const answer = await showHealth({ tenants, connectUrl })(call);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toEqual({ status: 'ok', parts: { database: 'ok', secrets: 'ok' } });
});

test('health is 503 and names the part that is not reached, not why', async () => {
  const broken = async (): Promise<string> => {
    throw new Error('PERMISSION_DENIED on secrets/connect-state-key');
  };
  const answer = await showHealth({ tenants, connectUrl: broken })(call);
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body)).toEqual({
    status: 'unreachable',
    parts: { database: 'ok', secrets: 'unreachable' },
  });
  expect(lines.join()).toContain('PERMISSION_DENIED');
});
