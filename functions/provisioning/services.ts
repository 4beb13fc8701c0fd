import type { Readiness } from '../../shared/contracts/documents.ts';
import type { SecretStore } from '../../shared/gcp/secret-store.ts';
import type { GraphClient } from '../../shared/meta/graph-client.ts';
import type { StepBehaviour } from '../../shared/runtime/step-function.ts';
import type { TenantCredentials } from '../../shared/runtime/tenant-credentials.ts';
import type { TokenMint } from '../../shared/runtime/token-mint.ts';
import type { TxtLookup } from '../../shared/runtime/txt-lookup.ts';
import type { StepName } from '../../shared/domain/provisioning-steps.ts';

/** What the behaviours of the steps are given: Meta, secrets and Kobi's own facts. Nothing of GCP. */
export interface ProvisioningServices {
  readonly graph: GraphClient;
  readonly credentials: TenantCredentials;
  readonly secrets: SecretStore;
  readonly systemTokens: TokenMint;
  readonly kobi: {
    readonly appId: string;
    readonly parentBusinessId: string;
    /** The parent's line of credit. */
    readonly extendedCreditId: string;
  };
  /** What Meta and the paperwork allow today (PRE-2, PRE-8, PRE-10). */
  readonly readiness: () => Promise<Readiness>;
  /** What public DNS shows. */
  readonly lookUpTxt: TxtLookup;
  /** Unpredictable bytes, for keys. */
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Builds the behaviour of one step from the services. */
export type StepFactory<Step extends StepName> = (services: ProvisioningServices) => StepBehaviour<Step>;
