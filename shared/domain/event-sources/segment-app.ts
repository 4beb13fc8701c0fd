import { at, firstOf, present } from './payload.ts';
import type { Payload } from './payload.ts';

/** What Meta wants of an app's event ("App Data Parameters"): the sixteen fields of `extinfo` in their order. */
export function appFields(call: Payload): Record<string, unknown> {
  const tracking = at(call, 'context.device.adTrackingEnabled');
  const system = firstOf(call, ['context.os.name', 'context.device.type']);
  const isIos = typeof system === 'string' && /^(?:ios|ipados|tvos)$/i.test(system);
  const extinfo = EXTINFO.map((path) => {
    const value = path === '' ? undefined : at(call, path);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  });
  return present({
    advertiser_tracking_enabled: tracking,
    app_data: present({ application_tracking_enabled: tracking, extinfo: [isIos ? 'i2' : 'a2', ...extinfo] }),
  });
}

const EXTINFO = [
  'context.app.namespace',
  'context.app.build',
  'context.app.version',
  'context.os.version',
  'context.device.model',
  'context.locale',
  'context.timezone',
  'context.network.carrier',
  'context.screen.width',
  'context.screen.height',
  'context.screen.density',
  '',
  '',
  '',
  '',
];
