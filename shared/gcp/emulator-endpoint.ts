import { credentials } from '@grpc/grpc-js';

/**
 * Client options that reach a local stand-in of a Google API without TLS and without asking for credentials. Secret
 * Manager and Cloud Tasks have no emulator variable of Google's own, so their clients are told here.
 *
 * @param host `host:port`
 */
export function emulatorEndpoint(host: string): {
  apiEndpoint: string;
  port: number;
  sslCreds: ReturnType<typeof credentials.createInsecure>;
} {
  const [name = '', port = ''] = host.split(':');
  return { apiEndpoint: name, port: Number(port), sslCreds: credentials.createInsecure() };
}
