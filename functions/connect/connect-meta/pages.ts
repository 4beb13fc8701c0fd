import type { ManagedPage } from '../../../shared/meta/users.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import type { HttpProblem } from '../../../shared/runtime/http-problem.ts';
import { Markup, markup, page } from './markup.ts';

/** What is said to the client's person, page by page. */

export function connectedPage(pageName: string | null): HttpAnswer {
  if (pageName === null) {
    return page(
      200,
      'Almost connected',
      markup`<p>Facebook shared no Page that may be advertised for, so Kobi now waits for you.</p>
<p>Start again from the Kobi portal, and in Facebook's dialog select the Page of your business.</p>`,
    );
  }
  return page(
    200,
    'Connected',
    markup`<p>Kobi is connected to <strong>${pageName}</strong>. You can close this window.</p>
<p>Kobi now sets up advertising for you. Nothing is published on your Page. Should anything be needed from you,
such as a DNS record for your domain, the Kobi portal will say so.</p>`,
  );
}

export function choosePagePage(pages: readonly ManagedPage[], action: string, choice: string): HttpAnswer {
  const options = pages.map(({ id, instagram, name }, index) => {
    const checked = new Markup(index === 0 ? ' checked' : '');
    const linked =
      instagram === undefined ? 'no Instagram account linked' : `Instagram: ${instagram.username ?? instagram.id}`;
    return markup`<label><input type="radio" name="page" value="${id}" required${checked}>
<span>${name === '' ? id : name}<br><small>${linked}</small></span></label>`;
  });
  return page(
    200,
    'Which Page shall Kobi advertise for?',
    markup`<p>You shared several Pages. Choose one.</p>
<form method="post" action="${action}">
<input type="hidden" name="choice" value="${choice}">
${options}
<button>Connect this Page</button>
</form>`,
  );
}

export function declinedPage(startUrl: string): HttpAnswer {
  return page(
    200,
    'Not connected',
    markup`<p>You did not agree in Facebook's dialog, so nothing was stored. Kobi waits for you.</p>
<p>Facebook grants these permissions only all together; none of them lets Kobi publish on your Page.</p>
<p>${startAgain(startUrl)}</p>`,
  );
}

/** What a resume link opens: the button is what counts. */
export function confirmResumePage(
  awaited: string,
  action: string,
  fields: Readonly<Record<string, string>>,
): HttpAnswer {
  const hidden = Object.entries(fields).map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}">`,
  );
  return page(
    200,
    'Done what Kobi asked for?',
    markup`<p>Kobi waits for you before it can go on: <strong>${awaited}</strong>.</p>
<p>Once you have done what the message says, tell Kobi to look again. This works once.</p>
<form method="post" action="${action}">
${hidden}
<button>Done, look again</button>
</form>`,
  );
}

export function resumedPage(): HttpAnswer {
  return page(
    200,
    'Thank you',
    markup`<p>Kobi looks again now and goes on by itself. You can close this window.</p>
<p>Should something still be missing, the Kobi portal says what.</p>`,
  );
}

/** Any refusal: what happened, and what to do about it. */
export function refusalPage(status: number, title: string, what: string, startUrl?: string): HttpAnswer {
  const again = startUrl === undefined ? [] : [markup`<p>${startAgain(startUrl)}</p>`];
  return page(
    status,
    title,
    markup`<p>${what}</p>
      ${again}`,
  );
}

/** A problem of the wrapper's (no such page, wrong method, a bug) for a person's eyes. */
export function problemPage(problem: HttpProblem): HttpAnswer {
  const title = problem.status >= 500 ? 'Something went wrong' : 'This did not work';
  const answer = refusalPage(problem.status, title, problem.message);
  return { ...answer, headers: { ...answer.headers, ...problem.details.headers } };
}

function startAgain(startUrl: string): Markup {
  return markup`<a class="button" href="${startUrl}">Start again</a>`;
}
