/** Public DNS of the simulated world: a real DNS server over UDP, so that the product's own resolver is what asks. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';
import type { Answer } from 'dns-packet';

export interface DnsServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  close(): Promise<void>;
}

/** A TXT record holds strings of at most this many bytes; a longer value is several of them. */
const longestString = 255;

/**
 * Answers TXT questions; of names without records, and of every other kind, it says that there is nothing (NODATA).
 *
 * @param txtOf the values of a name, in lower case; when it throws the server answers SERVFAIL
 */
export async function startDnsServer(txtOf: (name: string) => Promise<readonly string[]>): Promise<DnsServer> {
  const socket = createSocket('udp4');
  socket.on('message', (message, peer) => {
    void (async () => {
      const query = decode(message);
      const question = query.questions?.[0];
      const answers: Answer[] = [];
      let isBroken = false;
      if (question?.type === 'TXT') {
        const values = await txtOf(question.name.toLowerCase()).catch(() => ((isBroken = true), []));
        for (const value of values) answers.push({ type: 'TXT', name: question.name, ttl: 1, data: stringsOf(value) });
      }
      const reply = encode({
        type: 'response',
        ...(query.id === undefined ? {} : { id: query.id }),
        flags: isBroken ? serverFailure : 0,
        questions: query.questions ?? [],
        answers,
      });
      socket.send(reply, peer.port, peer.address);
    })().catch(() => undefined);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    host: `127.0.0.1:${socket.address().port}`,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Response code 2 (RFC 1035, 4.1.1). */
const serverFailure = 2;

function stringsOf(value: string): Buffer[] {
  const bytes = Buffer.from(value);
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += longestString) strings.push(bytes.subarray(at, at + longestString));
  return strings;
}
