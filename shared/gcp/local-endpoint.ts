import type { emulatorEndpoint } from './emulator-endpoint.ts';

/**
 * What a client needs to reach a local stand-in at `host:port`; nothing in the cloud, where gRPC's credentials are then
 * not loaded for it.
 */
export async function localEndpoint(
  host: string | undefined,
): Promise<ReturnType<typeof emulatorEndpoint> | undefined> {
  return host === undefined ? undefined : (await import('./emulator-endpoint.ts')).emulatorEndpoint(host);
}
