import { expect, test } from 'vitest';
import { readOptions, UsageError } from './options.ts';

test('without options it listens on 8080, the simulator on 8090, and the demo runs', () => {
  expect(readOptions([])).toEqual({
    once: false,
    demo: true,
    port: 8080,
    simulatorPort: 8090,
    emulators: 'embedded',
    json: false,
    processes: false,
    bundles: false,
  });
});

test('every documented option is understood', () => {
  const line = '--once --port 0 --simulator-port 9001 --graph-url http://127.0.0.1:1/ --emulators google --json';
  expect(readOptions(line.split(' '))).toEqual({
    once: true,
    demo: true,
    port: 0,
    simulatorPort: 9001,
    graphUrl: 'http://127.0.0.1:1',
    emulators: 'google',
    json: true,
    processes: false,
    bundles: false,
  });
  expect(readOptions(['--no-demo']).demo).toBe(false);
});

test.each([
  ['--onec', 'onec'],
  ['--port=eighty', 'eighty'],
  ['--port=70000', '70000'],
  ['--graph-url=graph', 'graph'],
  ['--emulators=docker', 'docker'],
  ['start', 'start'],
  ['--once --no-demo', 'choose one'],
])('%s is refused, saying what is wrong and what is valid', (line, named) => {
  const read = (): unknown => readOptions(line.split(' '));
  expect(read).toThrow(UsageError);
  expect(read).toThrow(named);
  expect(read).toThrow('--simulator-port N');
});
