/**
 * `node test/load/upload-million.ts [--rows N]`: uploads a million rows in chunks of 8 MB through `upload-events` and holds
 * it to what it promises: every row once, in bounded memory. Ends with 1 when it did not.
 *
 * The file is made as it is sent, so what grows would be the function's. Event ids are counted by a digest that tells
 * lost and repeated ones apart without keeping them.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startUploadWorld, uploadNow } from './upload-world.ts';
import type { Answer } from './upload-world.ts';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
const rows = Number(values.rows);
const chunkBytes = 8_000_000;
/** Every so many rows is bad, and every so many chunks is sent twice. */
const badEvery = 1_000;
const repeatEvery = 5;
const mostGrowthMiB = 150;

const eventTime = uploadNow.getTime() / 1_000 - 3_600;
const header = 'event_name,event_time,action_source,event_id,order_id,value,currency,email,phone,fn,ln,ct,country\n';
const rowOf = (row: number): string => {
  const value = row % badEvery === 0 ? 'x' : `${(row % 900) + 10}.90`;
  const person = `musteri${row}@example.com,0532 ${String(row).padStart(7, '0')},Ayşe,Yılmaz,İzmir,TR`;
  return `Purchase,${eventTime},physical_store,e${row},R-${row},${value},TRY,${person}\n`;
};

/** The file from a row on, in pieces of some size. */
function* pieces(): Generator<Buffer> {
  let text = header;
  for (let row = 1; row <= rows; row += 1) {
    text += rowOf(row);
    if (text.length >= 1_000_000 || row === rows) {
      yield Buffer.from(text);
      text = '';
    }
  }
}

let messages = 0;
let events = 0;
let sumOfIds = 0;
const seen = new Uint8Array(rows + 1);
let twice = 0;
const world = await startUploadWorld(async (json) => {
  messages += 1;
  const { data } = JSON.parse(json) as { data: { events: { event_id: string }[] } };
  for (const { event_id: id } of data.events) {
    const row = Number(id.slice(1));
    if (seen[row] === 1) twice += 1;
    seen[row] = 1;
    sumOfIds += row;
    events += 1;
  }
});

const total = (() => {
  let bytes = 0;
  for (const piece of pieces()) bytes += piece.length;
  return bytes;
})();

const created = await world.send('POST', '/111/uploads', { body: '{}' });
const { uploadId } = created.body;
const started = performance.now();
let answer: Answer = created;
let pending = Buffer.alloc(0);
let chunks = 0;
let firstMiB = 0;
let mostMiB = 0;
const source = pieces();

for (;;) {
  let next = source.next();
  while (next.done !== true) {
    pending = Buffer.concat([pending, next.value]);
    if (pending.length >= chunkBytes) break;
    next = source.next();
  }
  const from = answer.body.nextOffset;
  const chunk = pending.subarray(0, chunkBytes);
  answer = await world.put(uploadId, chunk, from, total);
  chunks += 1;
  if (answer.status !== 200) throw new Error(`chunk at ${from}: ${answer.status} ${answer.text}`);
  const passed = answer.body.nextOffset - from;
  if (chunks % repeatEvery === 0) await world.put(uploadId, pending.subarray(0, passed), from, total);
  pending = Buffer.from(pending.subarray(passed));
  await sleep(0);
  const residentMiB = process.memoryUsage.rss() / 1_048_576;
  if (chunks === 3) firstMiB = residentMiB;
  mostMiB = Math.max(mostMiB, residentMiB);
  if (answer.body.state === 'done') break;
}

const seconds = (performance.now() - started) / 1_000;
const bad = Math.floor(rows / badEvery);
const good = rows - bad;
const growthMiB = firstMiB === 0 ? 0 : mostMiB - firstMiB;
const sumOfBad = (badEvery * bad * (bad + 1)) / 2;
const isWhole = events === good && twice === 0 && sumOfIds === (rows * (rows + 1)) / 2 - sumOfBad;
const isReported = answer.body.refused === bad && answer.body.rows === rows + 1;
const isBounded = growthMiB <= mostGrowthMiB;
await world.close();

process.stdout.write(
  `${rows} rows, ${(total / 1e6).toFixed(0)} MB in ${chunks} chunks: ${seconds.toFixed(1)} s, ` +
    `${Math.round(rows / seconds)} rows/s, ${messages} messages\n` +
    `${isWhole ? 'ok  ' : 'FAIL'} every good row once: ${events} of ${good}, ${twice} twice\n` +
    `${isReported ? 'ok  ' : 'FAIL'} every bad row reported: ${answer.body.refused} of ${bad}\n` +
    `${isBounded ? 'ok  ' : 'FAIL'} memory: ${firstMiB.toFixed(0)} MiB after three chunks, ${mostMiB.toFixed(0)} MiB at most\n`,
);
process.exitCode = isWhole && isReported && isBounded ? 0 : 1;
