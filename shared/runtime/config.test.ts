import { expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

it('a start with missing and wrong variables lists every problem at once and shows no value', () => {
  const environment = {
    META_APP_ID: 'secret-looking-value',
    FUNCTION_BASE_URL: 'ftp://host',
    PROVISIONING_PATH: 'three',
  };
  const names = ['GOOGLE_CLOUD_PROJECT', 'META_APP_ID', 'FUNCTION_BASE_URL', 'PROVISIONING_PATH'] as const;
  let error: unknown;
  try {
    readConfig(names, environment);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ConfigError);
  const { message, problems } = error as ConfigError;
  expect(problems).toHaveLength(4);
  for (const name of names) expect(message).toContain(name);
  expect(message).toContain('is not set');
  expect(message).toContain('"auto" | "two-tier" | "fallback"');
  expect(message).not.toContain('secret-looking-value');
});

it('an empty variable counts as not set, and defaults hold', () => {
  const config = readConfig(['META_GRAPH_URL', 'PROVISIONING_PATH', 'FIRESTORE_EMULATOR_HOST'], {
    META_GRAPH_URL: '',
    PROVISIONING_PATH: '',
  });
  expect(config).toEqual({
    META_GRAPH_URL: 'https://graph.facebook.com',
    PROVISIONING_PATH: 'auto',
    FIRESTORE_EMULATOR_HOST: undefined,
  });
});

it('a variable that is given changes what is read', () => {
  const config = readConfig(['META_GRAPH_URL', 'META_APP_ID', 'SECRET_MANAGER_EMULATOR_HOST'], {
    META_GRAPH_URL: 'http://127.0.0.1:8090/',
    META_APP_ID: '123',
    SECRET_MANAGER_EMULATOR_HOST: '127.0.0.1:9000',
  });
  expect(config).toEqual({
    META_GRAPH_URL: 'http://127.0.0.1:8090',
    META_APP_ID: '123',
    SECRET_MANAGER_EMULATOR_HOST: '127.0.0.1:9000',
  });
});
