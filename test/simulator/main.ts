import { parseArgs } from 'node:util';
import { seed } from './seed.ts';
import { startSimulator } from './server.ts';

/** `npm run simulator -- --port N`: the Meta simulator alone. Unknown or bad options end it with exit code 2. */

class BadOption extends Error {}

function readPort(args: string[]): number {
  let values: { port?: string };
  try {
    ({ values } = parseArgs({ args, options: { port: { type: 'string' } }, strict: true, allowPositionals: false }));
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error));
  }
  const port = values.port ?? '8090';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new BadOption(`--port must be a number from 0 to 65535, not "${port}"`);
  }
  return Number(port);
}

try {
  const simulator = await startSimulator({ port: readPort(process.argv.slice(2)) });
  console.log(`ready ${simulator.url}`);
  console.log(`
  app id              ${seed.appId}
  app secret          ${seed.appSecret}
  parent business     ${seed.parentBusinessId}
  parent token        ${seed.parentSystemUserToken}
  extended credit     ${seed.extendedCreditId}
  login configuration ${seed.loginConfigId}
  demo user           ${seed.user.id}  (${seed.user.name}, Page ${seed.page.id})

  log ${simulator.url}/_sim/log   world ${simulator.url}/_sim/state   switches ${simulator.url}/_sim/switches`);
  const stop = (): void => void simulator.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
} catch (error) {
  if (error instanceof BadOption) {
    console.error(`${error.message}\nusage: npm run simulator -- [--port N]   (default 8090; 0 takes any free port)`);
    process.exitCode = 2;
  } else if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    console.error('The port is in use; choose another with --port N (0 takes any free port).');
    process.exitCode = 1;
  } else throw error;
}
