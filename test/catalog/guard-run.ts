/** One feed case against the real sync and the simulator: what must not happen, and what must. */
import type { CatalogWorld } from './catalog-world.ts';
import { csvOf, jsonlOf, xmlOf } from './catalog-world.ts';
import { goodFeed } from './guard-cases.ts';
import type { FeedCase } from './guard-cases.ts';

export const guardFormats = ['csv', 'xml', 'jsonl'] as const;
type Format = (typeof guardFormats)[number];
const writers = { csv: csvOf, xml: xmlOf, jsonl: jsonlOf };

/** Publishes a good feed, then the case twice, then a good one again. Returns everything that was not as it must be. */
export async function runCase(world: CatalogWorld, feedCase: FeedCase, format: Format): Promise<string[]> {
  world.reset();
  const wrong: string[] = [];
  const expect = (isTrue: boolean, what: string): void =>
    void (isTrue || wrong.push(`${feedCase.name} (${format}): ${what}`));
  const write = writers[format];
  const good = goodFeed();
  const count = (state: string): number =>
    world.published.filter(({ data }) => 'state' in data && data.state === state).length;

  await world.feed(write(good), { format });
  expect(world.atMeta().items.size === good.length, 'the good feed did not go out');
  const before = JSON.stringify([...world.atMeta().items.values()].map(({ data }) => data));
  const callsBefore = world.sentIds().length;
  const text = write(feedCase.items(good), feedCase.without);

  const held = await world.feed(text, { format });
  if (feedCase.guards.length === 0) {
    expect(
      held.current === null,
      `it is ${held.current?.state ?? ''}: ${held.current?.guards.map(({ what }) => what).join(' ') ?? ''}`,
    );
    expect(count('raised') === 0, 'an alert was raised');
    return wrong;
  }
  const tripped = held.current?.guards.map(({ guard }) => guard) ?? [];
  expect(held.current?.state === 'held', `it was not held: ${held.history[0]?.state ?? 'nothing'}`);
  expect(
    feedCase.guards.every((guard) => tripped.includes(guard)),
    `held for ${tripped.join(', ')}, not ${feedCase.guards.join(', ')}`,
  );
  await world.feed(`${text}\n`, { format });
  expect(world.sentIds().length === callsBefore, 'items were sent');
  expect(JSON.stringify([...world.atMeta().items.values()].map(({ data }) => data)) === before, 'the catalog changed');
  expect(count('raised') === 1, `${count('raised')} alerts were raised`);

  const after = await world.feed(`${write(good)}\n`, { format });
  expect(after.current === null, 'the good feed was held');
  expect(count('resolved') === 1, 'the alert was not resolved');
  expect(
    JSON.stringify([...world.atMeta().items.values()].map(({ data }) => data)) === before,
    'the catalog is not as it was',
  );
  return wrong;
}
