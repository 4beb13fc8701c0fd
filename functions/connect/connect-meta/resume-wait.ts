import { slugPattern } from '../../../shared/domain/naming.ts';
import { stepDefinition, stepNames } from '../../../shared/domain/provisioning-steps.ts';
import type { StepRef } from '../../../shared/gcp/run-documents.ts';
import { deliverOrLeave } from '../../../shared/runtime/deliver-or-leave.ts';
import type { HttpAnswer } from '../../../shared/runtime/http-answer.ts';
import { formBody } from '../../../shared/runtime/http-function.ts';
import type { HttpRoute } from '../../../shared/runtime/http-function.ts';
import { confirmResumePage, refusalPage, resumedPage } from './pages.ts';
import type { ConnectServices } from './services.ts';

type ResumeServices = Pick<ConnectServices, 'resumeLinks' | 'waits' | 'deliver' | 'baseUrl'>;

/** A link whose signature is good, with the fields it came in. */
interface KnownLink {
  readonly ref: StepRef;
  readonly linkNumber: number;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * `GET /resume?tenant=…&run=…&step=…&link=…`: asks whether what was awaited is done. It changes nothing, because mail
 * scanners and chat previews open every link; the button does.
 */
export function askToResume({ resumeLinks, baseUrl }: ResumeServices): HttpRoute['handle'] {
  return async (call) => {
    const known = await knownLink(resumeLinks, call.query);
    if (!('ref' in known)) return known;
    return confirmResumePage(stepDefinition(known.ref.step).title, `${baseUrl}/resume`, known.fields);
  };
}

/**
 * `POST /resume`: whoever was asked to act says that he did; exactly that step of that tenant looks again, now. A link
 * works once. (A link that is forged, or another tenant's, step's or run's, is refused before anything is read.)
 */
export function resumeWait({ resumeLinks, waits, deliver }: ResumeServices): HttpRoute['handle'] {
  return async (call) => {
    const known = await knownLink(resumeLinks, formBody(call));
    if (!('ref' in known)) return known;
    const { ref, linkNumber } = known;
    const resumption = await waits.resume(ref, linkNumber, call.traceparent);
    call.log.info({ ...ref, kind: resumption.kind }, 'resume link');
    switch (resumption.kind) {
      case 'resumed':
        await deliverOrLeave(deliver, resumption.messages, call.log);
        return resumedPage();
      case 'looking':
        return refusalPage(
          409,
          'Kobi is looking right now',
          'Wait a minute, go back, and press the button again: this link still works.',
        );
      case 'used':
        return refusalPage(
          410,
          'Already used',
          'This link was used before, and Kobi has looked since. If something is still missing, the Kobi portal says what and has a new link.',
        );
      case 'over':
        return resumption.done
          ? refusalPage(410, 'Nothing to do', 'This is done already. You can close this window.')
          : refusalPage(
              410,
              'No longer waiting',
              'Kobi no longer waits for this. Look in the Kobi portal, or ask your contact at Kobi.',
            );
    }
  };
}

async function knownLink(
  resumeLinks: ConnectServices['resumeLinks'],
  given: URLSearchParams,
): Promise<KnownLink | HttpAnswer> {
  const fields = Object.fromEntries(['tenant', 'run', 'step', 'link'].map((name) => [name, given.get(name) ?? '']));
  const { tenant: tenantId = '', run: runId = '', link = '' } = fields;
  const step = stepNames.find((name) => name === fields['step']);
  const isWellFormed = slugPattern.test(tenantId) && /^[\w-]{1,64}$/.test(runId);
  if (step === undefined || !isWellFormed) return notOurs(400);
  const ref = { tenantId, runId, step };
  const verdict = await resumeLinks.verify(ref, link);
  switch (verdict.kind) {
    case 'valid':
      return { ref, linkNumber: verdict.linkNumber, fields };
    case 'invalid':
      return notOurs(403);
    case 'expired':
      return refusalPage(
        403,
        'This link has expired',
        'Open the Kobi portal: it shows what Kobi still waits for and has a new link.',
      );
  }
}

function notOurs(status: number): HttpAnswer {
  return refusalPage(
    status,
    'This link is not valid',
    'It was changed or cut off on its way. Copy the whole link from the message, or open the Kobi portal.',
  );
}
