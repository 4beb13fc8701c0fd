import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import type { ProcessLife } from './process-life.ts';

interface Version {
  state: 'enabled' | 'disabled' | 'destroyed';
  value: string;
}

/** Secrets and their versions in memory, for proofs of thousands of runs; version n is at n - 1. */
export class MemorySecrets {
  readonly #secrets = new Map<string, Version[]>();

  clear(): void {
    this.#secrets.clear();
  }

  /** How many versions of each secret can be read. */
  census(): Record<string, number> {
    const counts = [...this.#secrets].map(([id, versions]) => [
      id,
      versions.filter(({ state }) => state === 'enabled').length,
    ]);
    return Object.fromEntries(counts) as Record<string, number>;
  }

  put(secretId: string, value: string): string {
    const versions = this.#secrets.get(secretId) ?? [];
    versions.push({ state: 'enabled', value });
    this.#secrets.set(secretId, versions);
    return String(versions.length);
  }

  /** The store as one process has it; every access is a crossing. */
  open(life: ProcessLife): SecretStore & SecretVersions {
    const at = async <Result>(name: string, writes: boolean, act: () => Result): Promise<Result> => {
      await life.cross({ place: 'secrets', when: 'before', name, writes });
      const result = act();
      await life.cross({ place: 'secrets', when: 'after', name, writes });
      return result;
    };
    const versionsOf = (secretId: string): Version[] => this.#secrets.get(secretId) ?? [];
    const enabled = (secretId: string): string[] =>
      versionsOf(secretId)
        .flatMap(({ state }, index) => (state === 'enabled' ? [String(index + 1)] : []))
        .toReversed();
    const change = (secretId: string, version: string, state: Version['state']): void => {
      const known = versionsOf(secretId)[Number(version) - 1];
      if (known !== undefined && known.state !== 'destroyed') known.state = state;
    };
    return {
      latest: (secretId) =>
        at(`read ${secretId}`, false, () => {
          const version = enabled(secretId)[0];
          const value = version === undefined ? undefined : versionsOf(secretId)[Number(version) - 1]?.value;
          return version === undefined || value === undefined ? undefined : { version, value };
        }),
      add: (secretId, value) => at(`add ${secretId}`, true, () => this.put(secretId, value)),
      destroyAll: (secretId) =>
        at(`destroy ${secretId}`, true, () => {
          for (const version of versionsOf(secretId)) version.state = 'destroyed';
        }),
      enabled: (secretId) => at(`list ${secretId}`, false, () => enabled(secretId)),
      read: (secretId, version) =>
        at(`read ${secretId}`, false, () => {
          const known = versionsOf(secretId)[Number(version) - 1];
          return known?.state === 'enabled' ? known.value : undefined;
        }),
      disable: (secretId, version) => at(`disable ${secretId}`, true, () => change(secretId, version, 'disabled')),
      destroy: (secretId, version) => at(`destroy ${secretId}`, true, () => change(secretId, version, 'destroyed')),
      forget: () => undefined,
      close: async () => undefined,
    };
  }
}
