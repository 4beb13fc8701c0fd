import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { choosePage } from './choose-page.ts';
import { finishLogin } from './finish-login.ts';
import { askToResume, resumeWait } from './resume-wait.ts';
import type { ConnectServices } from './services.ts';
import { startLogin } from './start-login.ts';

/** Everything the function answers. All of it is public: signed links and the state are what let a person in. */
export function connectRoutes(services: ConnectServices): readonly HttpRoute[] {
  const open = { callers: 'public' } as const;
  return [
    { ...open, method: 'GET', path: '/start', handle: startLogin(services) },
    { ...open, method: 'GET', path: '/callback', handle: finishLogin(services) },
    { ...open, method: 'POST', path: '/page', handle: choosePage(services) },
    { ...open, method: 'GET', path: '/resume', handle: askToResume(services) },
    { ...open, method: 'POST', path: '/resume', handle: resumeWait(services) },
  ];
}
