import type { OutboxMessage } from '../../../shared/contracts/documents.ts';
import type { ConnectStateStore } from '../../../shared/gcp/connect-state-store.ts';
import type { SecretStore } from '../../../shared/gcp/secret-store.ts';
import type { TenantStore } from '../../../shared/gcp/tenant-store.ts';
import type { WaitControl } from '../../../shared/gcp/wait-control.ts';
import type { ConnectLinks } from '../../../shared/runtime/connect-links.ts';
import type { ResumeLinks } from '../../../shared/runtime/resume-links.ts';
import type { MetaLogin } from './meta-login.ts';

/** What the connection flow works with. */
export interface ConnectServices {
  readonly login: MetaLogin;
  readonly links: ConnectLinks;
  readonly resumeLinks: ResumeLinks;
  readonly waits: Pick<WaitControl, 'resume'>;
  readonly states: Pick<ConnectStateStore, 'open' | 'consume'>;
  readonly tenants: Pick<TenantStore, 'read' | 'connect'>;
  readonly secrets: Pick<SecretStore, 'add'>;
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  readonly randomBytes: (size: number) => Uint8Array;
  /** The function's own address. */
  readonly baseUrl: string;
}

/** A text of 256 random bits that fits a URL and a cookie. */
export function randomText(randomBytes: ConnectServices['randomBytes']): string {
  return Buffer.from(randomBytes(32)).toString('base64url');
}

/** The state document of a Page choice; the colon keeps a nonce, which the form shows, from passing as a login state. */
export function choiceState(nonce: string): string {
  return `page-choice:${nonce}`;
}
