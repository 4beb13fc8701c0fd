import { Socket } from 'node:net';

/**
 * From now on, every host this process opens a TCP or TLS connection to (by the name or address it was asked for). Google's client
 * libraries look for a metadata server once per process and remember the outcome, so start recording before the first client.
 */
export function recordConnectedHosts(): ReadonlySet<string> {
  const hosts = new Set<string>();
  const connect: (...args: unknown[]) => Socket = Reflect.get(Object(Socket.prototype), 'connect');
  Socket.prototype.connect = function record(this: Socket, ...args: unknown[]): Socket {
    for (const target of args.flat()) {
      const host: unknown = Reflect.get(Object(target), 'host');
      if (typeof host === 'string') hosts.add(host);
    }
    return Reflect.apply(connect, this, args);
  };
  return hosts;
}
