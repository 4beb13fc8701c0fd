/** Renders weeks of made-up tenants to `DIR/NAME.html` and pictures of them: `npm run report:look -- DIR`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { trafficOf } from '../local/google/ga4/traffic-of-ads.ts';
import { Ga4World } from './ga4-world.ts';
import { ReportWorld } from './report-world.ts';

const [directory = '.'] = process.argv.slice(2);
const week = '2026-W46';
const names = [
  'Yeni Sezon · Geniş Kitle · İstanbul, Ankara, İzmir ve Çevresi · Dönüşüm · 2026 Sonbahar Kampanyası',
  'Sepeti terk edenler – %20 indirim',
  'ŞÖHRET&GÜÇ_Kış_Koleksiyonu_Advantage+_DPA_Retargeting_30gün_v2_final',
  'Ağ',
];
const world = await ReportWorld.start();
const ga4 = await Ga4World.start(world);
const account = await world.plant('acme-shop', { cells: 6, campaigns: 4, campaignNames: names });
await world.plant('acme-shop', {
  cells: 4,
  isCollaborative: true,
  seed: 'retailer',
  campaignNames: ['Trendyol', 'Bebek'],
});
await world.plant('kitap-evi', { since: '2027-01-01' });
await world.openReports();
await world.work();
ga4.ga4.plant('123456789', { traffic: trafficOf(account.truth, world.now(), 0.3, { medium: 'social' }) });
await ga4.report('/tenants/acme-shop/ga4', { method: 'PUT', body: { propertyId: '123456789' } });
await ga4.crossCheck();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const tenantId of ['acme-shop', 'kitap-evi']) {
  const { body } = await ga4.report(`/tenants/${tenantId}/weeks/${week}?format=html`);
  await writeFile(join(directory, `${tenantId}.html`), body);
  for (const [name, options] of [
    ['desktop', { viewport: { width: 1000, height: 900 } }],
    ['phone', { viewport: { width: 360, height: 740 } }],
    ['phone-dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
  ] as const) {
    const page = await browser.newPage(options);
    await page.setContent(body);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    process.stdout.write(`${tenantId} ${name}: ${String(overflow)} px too wide\n`);
    await page.screenshot({ path: join(directory, `${tenantId}-${name}.png`), fullPage: true });
  }
}
await browser.close();
await ga4.close();
await world.close();
