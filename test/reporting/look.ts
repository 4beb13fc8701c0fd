/** Renders a tenant's week to `DIR/report.html` and pictures of it: `node test/reporting/look.ts DIR [--chromium PATH]`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { trafficOf } from '../local/google/ga4/traffic-of-ads.ts';
import { Ga4World } from './ga4-world.ts';
import { ReportWorld } from './report-world.ts';

const [directory = '.'] = process.argv.slice(2);
const world = await ReportWorld.start();
const ga4 = await Ga4World.start(world);
const account = await world.plant('Acme-Shop', { cells: 6, campaigns: 4 });
await world.openReports();
await world.work();
ga4.ga4.plant('123456789', { traffic: trafficOf(account.truth, world.now(), 0.7) });
await ga4.report('/tenants/Acme-Shop/ga4', { method: 'PUT', body: { propertyId: '123456789' } });
await ga4.crossCheck();
const { body } = await ga4.report('/tenants/Acme-Shop/weeks/2026-W46?format=html');
await writeFile(join(directory, 'report.html'), body);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const [name, options] of [
  ['desktop', { viewport: { width: 1000, height: 900 } }],
  ['phone', { viewport: { width: 390, height: 800 } }],
  ['dark', { viewport: { width: 1000, height: 900 }, colorScheme: 'dark' }],
] as const) {
  const page = await browser.newPage(options);
  await page.setContent(body);
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}
await browser.close();
await ga4.close();
await world.close();
