import type { SecretInUse } from '../../shared/contracts/token-documents.ts';
import type { SecretStore, SecretVersions } from '../../shared/gcp/secret-store.ts';
import type { EmbeddedSecretManager } from '../local/google/secret-manager/embedded-secret-manager.ts';
import type { ProcessLife } from './process-life.ts';

interface Version {
  state: 'ENABLED' | 'DISABLED' | 'DESTROYED';
  payload: string | undefined;
}

/** Secrets and their versions in memory, for proofs of thousands of runs; version n is at n - 1. */
export class MemorySecrets implements Pick<EmbeddedSecretManager, 'clear' | 'dump'> {
  readonly #secrets = new Map<string, Version[]>();
  readonly #inUse: (secretId: string) => Promise<SecretInUse | undefined>;

  /** @param inUse which version was chosen, as the real store is told */
  constructor(inUse: (secretId: string) => Promise<SecretInUse | undefined>) {
    this.#inUse = inUse;
  }

  clear(): void {
    this.#secrets.clear();
  }

  dump(): ReturnType<EmbeddedSecretManager['dump']> {
    return [...this.#secrets].map(([name, versions]) => ({
      name,
      versions: versions.map((version, index) => ({ name: `${name}/versions/${index + 1}`, ...version })),
    }));
  }

  /** How many versions of each secret can be read. */
  census(): Record<string, number> {
    return Object.fromEntries([...this.#secrets.keys()].map((id) => [id, this.#enabled(id).length]));
  }

  /** The store as one process has it; every access is a crossing. */
  open(life: ProcessLife): SecretStore & SecretVersions {
    const at = async <Result>(name: string, writes: boolean, act: () => Result): Promise<Awaited<Result>> => {
      await life.cross({ place: 'secrets', when: 'before', name, writes });
      const result = await act();
      await life.cross({ place: 'secrets', when: 'after', name, writes });
      return result;
    };
    const read = (secretId: string, version: string): string | undefined => {
      const known = this.#version(secretId, version);
      return known?.state === 'ENABLED' ? known.payload : undefined;
    };
    const change = (secretId: string, version: string, state: Version['state']): void => {
      const known = this.#version(secretId, version);
      if (known === undefined || known.state === 'DESTROYED') return;
      known.state = state;
      if (state === 'DESTROYED') known.payload = undefined;
    };
    const numbers = (secretId: string): string[] =>
      Array.from(this.#secrets.get(secretId) ?? [], (_version, index) => String(index + 1));
    return {
      latest: (secretId) =>
        at(`read ${secretId}`, false, async () => {
          const version = (await this.#inUse(secretId))?.version ?? numbers(secretId).at(-1);
          const value = version === undefined ? undefined : read(secretId, version);
          return version === undefined || value === undefined ? undefined : { version, value };
        }),
      add: (secretId, payload) =>
        at(`add ${secretId}`, true, () => {
          const versions = this.#secrets.get(secretId) ?? [];
          this.#secrets.set(secretId, versions);
          return String(versions.push({ state: 'ENABLED', payload }));
        }),
      destroyAll: (secretId, upTo = String(Infinity)) =>
        at(`destroy ${secretId}`, true, () => {
          for (const version of numbers(secretId)) {
            if (Number(version) <= Number(upTo)) change(secretId, version, 'DESTROYED');
          }
        }),
      enabled: (secretId) => at(`list ${secretId}`, false, () => this.#enabled(secretId)),
      read: (secretId, version) => at(`read ${secretId}`, false, () => read(secretId, version)),
      disable: (secretId, version) => at(`disable ${secretId}`, true, () => change(secretId, version, 'DISABLED')),
      destroy: (secretId, version) => at(`destroy ${secretId}`, true, () => change(secretId, version, 'DESTROYED')),
      forget: () => undefined,
      close: async () => undefined,
    };
  }

  #version(secretId: string, version: string): Version | undefined {
    return this.#secrets.get(secretId)?.[Number(version) - 1];
  }

  /** Newest first. */
  #enabled(secretId: string): string[] {
    return (this.#secrets.get(secretId) ?? [])
      .flatMap(({ state }, index) => (state === 'ENABLED' ? [String(index + 1)] : []))
      .toReversed();
  }
}
