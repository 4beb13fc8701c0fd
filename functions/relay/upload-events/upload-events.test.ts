import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseEnvelope } from '../../../shared/contracts/topics.ts';
import { startUploadWorld, uploadNow } from '../../../test/load/upload-world.ts';
import type { Answer, UploadWorld } from '../../../test/load/upload-world.ts';

const nowSeconds = uploadNow.getTime() / 1_000;
const hour = nowSeconds - 3_600;
const csv = { 'content-type': 'text/csv' };

let world: UploadWorld;
let queued: string[] = [];
let failures = 0;
/** Resolves when a message may go; holds the queue up where a test wants it. */
let gate: Promise<void> = Promise.resolve();

beforeAll(async () => {
  world = await startUploadWorld(async (json) => {
    await gate;
    if (failures > 0) {
      failures -= 1;
      throw new Error('Pub/Sub is down');
    }
    queued.push(json);
  });
});
beforeEach(() => {
  world.firestore.clear();
  world.lines.length = 0;
  queued = [];
  failures = 0;
  gate = Promise.resolve();
});
afterAll(() => world.close());

function events(): Record<string, unknown>[] {
  return queued.flatMap((json) => {
    const parsed = parseEnvelope('capi-events', JSON.parse(json));
    if (!parsed.ok) throw new Error(parsed.problems.join('; '));
    return parsed.envelope.data.events;
  });
}
const ids = (): unknown[] => events().map((event) => event['event_id']);

const header = 'event_name,event_time,action_source,order_id,value,currency,email,phone';
const row = (order: string, more = ''): string =>
  `Purchase,${hour},physical_store,${order},80.50,TRY,ayse${order}@example.com,0532 123 45 67${more}`;
const file = (...rows: string[]): Buffer => Buffer.from(`${[header, ...rows].join('\n')}\n`);

async function open(options: object = {}): Promise<string> {
  const { status, body } = await world.send('POST', '/111/uploads', { body: JSON.stringify(options) });
  expect(status).toBe(201);
  return body.uploadId;
}

/** Sends a file as the README tells a client to: from `nextOffset`, until it is done. */
async function sendAll(uploadId: string, bytes: Buffer, chunkBytes: number): Promise<Answer> {
  let answer = await world.send('GET', `/uploads/${uploadId}`);
  while (answer.body.state !== 'done') {
    const from = answer.body.nextOffset;
    answer = await world.put(uploadId, bytes.subarray(from, from + chunkBytes), from, bytes.length);
    expect(answer.status, answer.text).toBe(200);
  }
  return answer;
}

describe('a whole file in one request', () => {
  test('each row becomes an event of Meta, hashed, with the keys where they belong', async () => {
    const answer = await world.send('POST', '/111/uploads', { headers: csv, body: file(row('1')) });
    expect(answer).toMatchObject({ status: 200, body: { state: 'done', rows: 2, queued: 1, refused: 0 } });
    expect(events()).toEqual([
      {
        event_name: 'Purchase',
        event_time: hour,
        action_source: 'physical_store',
        event_id: expect.stringMatching(/^kobi\.[0-9a-f]{32}$/) as string,
        user_data: {
          em: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          ph: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        },
        custom_data: { order_id: '1', value: 80.5, currency: 'TRY' },
      },
    ]);
  });

  test('the same file again makes no event again', async () => {
    const first = await world.send('POST', '/111/uploads', { headers: csv, body: file(row('1'), row('2')) });
    const again = await world.send('POST', '/111/uploads', { headers: csv, body: file(row('1'), row('2')) });
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(queued).toHaveLength(1);
  });

  test('a file whose queueing failed is sent again as it is, and each of its rows is one event', async () => {
    failures = 1;
    const post = async (): Promise<Answer> =>
      world.send('POST', '/111/uploads', { headers: csv, body: file(row('1')) });
    expect((await post()).status).toBe(500);
    expect((await post()).body).toMatchObject({ state: 'done', queued: 1 });
    expect(ids()).toHaveLength(1);
  });

  test('as spreadsheets write it: BOM, semicolons, CRLF, quotes, empty lines and cells, ISO times, capitals in the header', async () => {
    const lines = [
      'Event_Name;Event_Time;Action_Source;Lead_ID;FN;Lead_Event_Source',
      'Lead;2026-11-23T14:00:00+03:00;system_generated;1234567890123456;"Ayşe ""A"" Nur";Kobi;;',
      ';;;;;',
      '',
      '"Qualified\nLead";2026-11-23T11:00:00Z;system_generated;123456789012345;;Kobi',
    ];
    const answer = await world.send('POST', '/111/uploads?event_source=crm&file_name=leads.csv', {
      headers: csv,
      body: `\uFEFF${lines.join('\r\n')}`,
    });
    expect(answer.body).toMatchObject({ state: 'done', rows: 5, queued: 1, refused: 1 });
    expect(events()).toMatchObject([
      {
        event_name: 'Lead',
        event_time: nowSeconds - 3_600,
        user_data: { lead_id: 1_234_567_890_123_456 },
        custom_data: { event_source: 'crm', lead_event_source: 'Kobi' },
      },
    ]);
  });
});

describe('a bad row never stops the file', () => {
  const bad = [
    row('1'),
    row('2').replace('80.50', 'eighty'),
    `Purchase,${hour},physical_store,3`,
    `${row('4')},one,more`,
    row('5').replace('TRY', '"TR'),
    row('6').replace(String(hour), String(nowSeconds - 63 * 86_400)),
    row('7'),
  ];

  test('it is reported with its row, field, code and what is expected, and never its value', async () => {
    const { body } = await world.send('POST', '/111/uploads', { headers: csv, body: file(...bad) });
    expect(body).toMatchObject({ state: 'done', rows: 8, queued: 2, refused: 5, problems: { listed: 5 } });
    expect(body.refusedBy).toEqual({
      'custom_data.value not_a_value': 1,
      'row wrong_number_of_cells': 2,
      'row quote_not_closed': 1,
      'event_time too_old': 1,
    });
    const report = await world.send('GET', `/uploads/${body.uploadId}/problems`);
    expect(report.text.split('\r\n').map((line) => line.split(',').slice(0, 3).join(','))).toEqual([
      'row,field,code',
      '3,custom_data.value,not_a_value',
      '4,row,wrong_number_of_cells',
      '5,row,wrong_number_of_cells',
      '6,row,quote_not_closed',
      '7,event_time,too_old',
      '',
    ]);
    expect(report.text).not.toContain('eighty');
  });

  test('a key that cannot be used costs the key, is counted, and the event goes through', async () => {
    const { body } = await world.send('POST', '/111/uploads', {
      headers: csv,
      body: file(row('1').replace('@', ' at ')),
    });
    expect(body).toMatchObject({ queued: 1, refused: 0 });
    expect(Object.keys(body.warnings)).toEqual([expect.stringMatching(/^email /) as string]);
  });

  test('a time without its offset is not guessed at, and the report says how a file may write it', async () => {
    const written = row('1').replace(String(hour), '23.11.2026 14:00');
    const { body } = await world.send('POST', '/111/uploads', { headers: csv, body: file(written) });
    const { text } = await world.send('GET', `/uploads/${body.uploadId}/problems`);
    expect(text).toContain('2,event_time,not_unix_seconds,"Unix time in seconds, or ISO 8601 with its offset');
  });

  test('a file that is wrong everywhere has a report of bounded length, and every row is counted', async () => {
    const rows = Array.from({ length: 10_500 }, (_row, index) => `Purchase,${hour},physical_store,${index}`);
    const { body } = await world.send('POST', '/111/uploads', { headers: csv, body: file(...rows) });
    expect(body).toMatchObject({ state: 'done', refused: 10_500, problems: { listed: 10_000 } });
    expect(body.refusedBy).toEqual({ 'row wrong_number_of_cells': 10_500 });
  });

  test('the report comes in pages, each with the way to the next', async () => {
    const rows = Array.from({ length: 1_500 }, (_row, index) => row(String(index)).replace('80.50', 'x'));
    const { body } = await world.send('POST', '/111/uploads', { headers: csv, body: file(...rows) });
    expect(body).toMatchObject({ queued: 0, refused: 1_500, problems: { listed: 1_500 } });
    const first = await world.send('GET', `/uploads/${body.uploadId}/problems`);
    expect(first.link).toBe(`</uploads/${body.uploadId}/problems?page=1>; rel="next"`);
    const second = await world.send('GET', `/uploads/${body.uploadId}/problems?page=1`);
    expect(second.link).toBeNull();
    const lines = (first.text + second.text).split('\r\n').filter((line) => /^\d/.test(line));
    expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(rows.map((_row, index) => index + 2));
  });
});

describe('a file in chunks', () => {
  test('arrives whole whatever the chunks, each row once and in order', async () => {
    const rows = Array.from({ length: 400 }, (_row, index) => row(String(index)));
    const bytes = file(...rows);
    for (const chunkBytes of [997, 4_096, 100_000]) {
      queued = [];
      const answer = await sendAll(await open(), bytes, chunkBytes);
      expect(answer.body).toMatchObject({ state: 'done', rows: 401, queued: 400, nextOffset: bytes.length });
      expect(events().map((event) => (event['custom_data'] as { order_id: string }).order_id)).toEqual(
        rows.map((_row, index) => String(index)),
      );
    }
  });

  test('a chunk sent again is answered from the record, and nothing is queued again', async () => {
    const bytes = file(row('1'), row('2'), row('3'));
    const uploadId = await open();
    const cut = bytes.length - 20;
    const first = await world.put(uploadId, bytes.subarray(0, cut), 0, bytes.length);
    expect(first.body).toMatchObject({ state: 'open', queued: 2 });
    const passed = bytes.subarray(0, first.body.nextOffset);
    expect((await world.put(uploadId, passed, 0, bytes.length)).text).toBe(first.text);
    expect(ids()).toHaveLength(2);
    const rest = await world.put(uploadId, bytes, 0, bytes.length);
    expect(rest.body).toMatchObject({ state: 'done', queued: 3 });
    expect((await world.put(uploadId, bytes, 0, bytes.length)).text).toBe(rest.text);
    expect(new Set(ids()).size).toBe(3);
    expect(ids()).toHaveLength(3);
  });

  test('a chunk that begins too late is told where to go on, and nothing of it is read', async () => {
    const bytes = file(row('1'), row('2'));
    const uploadId = await open();
    const answer = await world.put(uploadId, bytes.subarray(10), 10, bytes.length);
    expect([answer.status, answer.body]).toMatchObject([409, { error: { code: 'out-of-place' }, nextOffset: 0 }]);
    expect(queued).toEqual([]);
  });

  test('a file that changed its size on the way is refused', async () => {
    const bytes = file(row('1'), row('2'));
    const uploadId = await open();
    await world.put(uploadId, bytes.subarray(0, 150), 0, bytes.length);
    expect((await world.put(uploadId, bytes, 0, bytes.length + 5)).status).toBe(409);
    expect((await world.put(uploadId, bytes.subarray(0, -1), 0, bytes.length - 1)).status).toBe(409);
  });

  test('when the queue fails in the middle nothing is passed over: the chunk’s next try makes the same events', async () => {
    const rows = Array.from(
      { length: 2_500 },
      (_row, index) => `Lead,${hour},system_generated,lead${index}@example.com`,
    );
    const bytes = Buffer.from(['event_name,event_time,action_source,em', ...rows, ''].join('\n'));
    const uploadId = await open();
    queued = [];
    const before = await world.put(uploadId, bytes.subarray(0, 60_000), 0, bytes.length);
    const from = before.body.nextOffset;
    failures = 1;
    expect((await world.put(uploadId, bytes.subarray(from), from, bytes.length)).status).toBe(500);
    expect((await world.send('GET', `/uploads/${uploadId}`)).body.nextOffset).toBe(from);
    const after = await world.put(uploadId, bytes.subarray(from), from, bytes.length);
    expect(after.body).toMatchObject({ state: 'done', queued: 2_500, rows: 2_501 });
    expect(new Set(ids()).size).toBe(2_500);
  });

  test('the same chunk twice at the same time is read once', async () => {
    const bytes = file(row('1'), row('2'));
    const uploadId = await open();
    let release = (): void => {};
    gate = new Promise((resolve) => {
      release = resolve;
    });
    const both = [world.put(uploadId, bytes, 0, bytes.length), world.put(uploadId, bytes, 0, bytes.length)];
    const firstBack = await Promise.race(both);
    expect(firstBack.body.error?.code).toBe('chunk-being-read');
    release();
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
    expect(queued).toHaveLength(1);
  });

  test('rows without an id of their own get one from upload and row; an order has one in every upload', async () => {
    const text = `event_name,event_time,action_source,em,order_id,event_id\n${[
      `Lead,${hour},system_generated,a@example.com,,`,
      `Lead,${hour},system_generated,a@example.com,,`,
      `Sale,${hour},physical_store,a@example.com,R-1,`,
      `Sale,${hour},physical_store,a@example.com,R-1,mine`,
    ].join('\n')}`;
    const made: unknown[][] = [];
    for (let count = 0; count < 2; count += 1) {
      queued = [];
      await sendAll(await open(), Buffer.from(text), 100_000);
      made.push(ids());
    }
    const [[one, two, order, own] = [], [otherOne, , otherOrder] = []] = made;
    expect(new Set([one, two, otherOne]).size).toBe(3);
    expect([otherOrder, own]).toEqual([order, 'mine']);
  });
});

describe('what cannot be an upload is refused with what would be valid', () => {
  test('an unknown column names itself and lists the valid ones; a file without a header does not show its first person', async () => {
    const unknown = await world.send('POST', '/111/uploads', { headers: csv, body: 'event_name,e-mail\nLead,x\n' });
    expect(unknown.body.error?.message).toContain('e-mail');
    expect(unknown.body.error?.expected).toEqual(
      expect.arrayContaining(['event_name', 'email', 'em', 'ph', 'lead_id', 'order_id']),
    );
    const headless = await world.send('POST', '/111/uploads', {
      headers: csv,
      body: `Lead,${hour},ayse@example.com\n`,
    });
    expect(headless.status).toBe(400);
    expect(headless.text + world.lines.join('')).not.toContain('ayse');
  });

  test.each([
    ['a missing column', 'event_name,em\nLead,a@example.com\n', 'missing-column'],
    ['a column twice', 'event_name,event_name\n', 'repeated-column'],
    ['nothing', '', 'empty-file'],
    ['a header in UTF-16', Buffer.from('\uFEFFevent_name,em\n', 'utf16le'), 'unreadable-header'],
  ])('%s', async (_title, body, code) => {
    const answer = await world.send('POST', '/111/uploads', { headers: csv, body });
    expect([answer.status, answer.body.error?.code]).toEqual([400, code]);
    expect(queued).toEqual([]);
  });

  test.each([
    ['no range', undefined],
    ['a range of another length', 'bytes 0-5/100'],
    ['a range beyond the file', 'bytes 0-2/1'],
    ['a unit of its own', 'rows 0-2/3'],
  ])('%s', async (_title, range) => {
    const headers = { ...csv, ...(range !== undefined && { 'content-range': range }) };
    const answer = await world.send('PUT', `/uploads/${await open()}`, { headers, body: 'a,b' });
    expect([answer.status, answer.body.error?.code]).toEqual([400, 'invalid-range']);
  });

  test('a chunk without one complete row says how large a chunk must be, instead of letting the sender try for ever', async () => {
    const bytes = file(row('1'));
    const answer = await world.put(await open(), bytes.subarray(0, 20), 0, bytes.length);
    expect([answer.status, answer.body.error?.code]).toEqual([400, 'chunk-too-small']);
  });

  test('a chunk of more than 8 MiB', async () => {
    const answer = await world.put(await open(), Buffer.alloc(8 * 1_024 * 1_024 + 1, 'a'), 0, '*');
    expect([answer.status, answer.body.error?.code]).toEqual([413, 'body-too-large']);
  });

  test('options and defaults that do not exist', async () => {
    for (const options of [
      { rows: 5 },
      { delimiter: '|' },
      { defaults: { em: 'a@example.com' } },
      { columns: ['nose'] },
    ]) {
      expect((await world.send('POST', '/111/uploads', { body: JSON.stringify(options) })).status).toBe(400);
    }
  });
});

describe('who may', () => {
  test('only a key of the dataset’s own tenant, made for servers or a CRM', async () => {
    const post = async (path: string, key: string): Promise<number> =>
      (await world.send('POST', path, { key, body: '{}' })).status;
    expect(await post('/111/uploads', world.keys.server)).toBe(201);
    expect(await post('/111/uploads', world.keys.crm)).toBe(201);
    expect(await post('/111/uploads', world.keys.browser)).toBe(403);
    expect(await post('/111/uploads', world.keys.other)).toBe(403);
    expect(await post('/111/uploads', '')).toBe(401);
    expect(await post('/999/uploads', world.keys.server)).toBe(404);
  });

  test('another tenant’s key finds no upload: it is answered as if there were none, and nothing is read', async () => {
    const bytes = file(row('1'));
    const uploadId = await open();
    const { other: key } = world.keys;
    const foreign = [
      await world.send('GET', `/uploads/${uploadId}`, { key }),
      await world.send('GET', `/uploads/${uploadId}/problems`, { key }),
      await world.put(uploadId, bytes, 0, bytes.length, key),
    ];
    const unknown = await world.send('GET', `/uploads/${'0'.repeat(32)}`, { key });
    for (const answer of foreign) expect([answer.status, answer.text]).toEqual([404, unknown.text]);
    expect((await world.send('GET', `/uploads/${uploadId}`, { key: '' })).status).toBe(401);
    expect(queued).toEqual([]);
  });
});

test('no raw row is anywhere: not in Firestore, a message, a log line or an answer', async () => {
  const bytes = file(row('1'), row('2').replace('80.50', 'x'), row('3').replace('TRY', '"TR'));
  const uploadId = await open({ fileName: 'satış kasım.csv' });
  const answers = [
    await world.put(uploadId, bytes.subarray(0, 150), 0, bytes.length),
    await sendAll(uploadId, bytes, 100_000),
    await world.send('GET', `/uploads/${uploadId}/problems`),
  ];
  const everything = [
    JSON.stringify(world.firestore.dump()),
    ...queued,
    ...world.lines,
    ...answers.map(({ text }) => text),
  ].join('\n');
  expect(everything).toContain('satış kasım.csv');
  expect(everything).not.toMatch(/ayse|0532|@example/i);
  expect(everything).not.toContain(world.keys.crm);
});

test('20,000 rows: none lost, none twice, in messages of at most 1,000', async () => {
  const rows = Array.from(
    { length: 20_000 },
    (_row, index) => `Lead,${hour},system_generated,lead${index}@example.com`,
  );
  const bytes = Buffer.from(['event_name,event_time,action_source,em', ...rows, ''].join('\n'));
  const { body } = await sendAll(await open(), bytes, 300_000);
  expect(body).toMatchObject({ state: 'done', rows: 20_001, queued: 20_000, refused: 0 });
  expect(new Set(ids()).size).toBe(20_000);
  expect(Math.max(...queued.map((json) => (JSON.parse(json) as { data: { events: [] } }).data.events.length))).toBe(
    1_000,
  );
});
