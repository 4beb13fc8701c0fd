import type { SimulatorContext } from './context.ts';
import type { LoginRequest } from './login-dialog.ts';
import type { Person } from './world.ts';

/** The page on which a person sees who asks for what, picks Pages and decides. */

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${String(character.codePointAt(0))};`);

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; background: #f0f2f5; margin: 0; display: grid; place-items: center; min-height: 100vh; }
  main { background: #fff; border-radius: 12px; padding: 28px 32px; width: min(30rem, calc(100vw - 2rem)); box-sizing: border-box; }
  h1 { font-size: 1.25rem; margin: 0 0 .25rem; } h2 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
  p { margin: .25rem 0; color: #444; } label { display: block; padding: .2rem 0; overflow-wrap: anywhere; }
  .note { font-size: .85rem; color: #65676b; } .buttons { display: flex; flex-direction: row-reverse; gap: .75rem; margin-top: 1.5rem; }
  button { flex: 1; padding: .7rem; border: 0; border-radius: 8px; font: inherit; font-weight: 600; background: #e4e6eb; cursor: pointer; }
  button.go { background: #0866ff; color: #fff; } button:focus-visible { outline: 3px solid #90b8ff; }`;

const document = (title: string, body: string): string =>
  `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>${body}</main></body></html>`;

export const dialogErrorPage = (problem: string): string =>
  document(
    'Login error',
    `<h1>This login cannot go on</h1><p>${escapeHtml(problem)}</p><p class="note">Meta simulator</p>`,
  );

const otherPeopleShown = 20;

export function dialogPage(request: LoginRequest, url: URL, person: Person, { store }: SimulatorContext): string {
  const pages = store.many('page', person.pageTasks.keys()).map(({ id, name, instagramId }) => {
    const username = store.find('instagram', instagramId)?.username;
    const linked = username === undefined ? '' : ` <span class="note">with Instagram @${escapeHtml(username)}</span>`;
    return `<label><input type="checkbox" name="sim_page" value="${id}" checked> ${escapeHtml(name)}${linked}</label>`;
  });
  const scopes = request.scopes.map(
    (scope) =>
      `<label><input type="checkbox" name="sim_scope" value="${scope}" checked> <code>${escapeHtml(scope)}</code></label>`,
  );
  const others = store
    .all('user')
    .filter(({ id }) => id !== person.id)
    .slice(0, otherPeopleShown)
    .map(({ id, name }) => {
      const link = new URL(url);
      link.searchParams.set('sim_user', id);
      return `<a href="${escapeHtml(link.pathname + link.search)}">${escapeHtml(name)}</a>`;
    });
  const host = new URL(request.redirectUri).host;
  return document(
    `Log in to ${store.seed.appName}`,
    `<form method="post" action="${escapeHtml(url.pathname + url.search)}">
      <h1>${escapeHtml(store.seed.appName)} asks for access</h1>
      <p>Signed in as <strong>${escapeHtml(person.name)}</strong>. You will return to ${escapeHtml(host)}.</p>
      ${others.length === 0 ? '' : `<p class="note">Not you? ${others.join(', ')}</p>`}
      <input type="hidden" name="sim_user" value="${person.id}">
      <h2>Pages it may use</h2>${pages.join('') || '<p>This person has no Page.</p>'}
      <h2>What it may do</h2>${scopes.join('')}
      <div class="buttons"><button class="go">Continue</button><button name="sim_cancel" value="1">Cancel</button></div>
      <p class="note">Meta simulator: nothing here reaches Meta.</p>
    </form>`,
  );
}
