import { randomInt } from 'node:crypto';
import { GrpcCode, GrpcError } from '../grpc-service.ts';
import { wireMs, wireTimestamp, type WireDuration, type WireTimestamp } from '../local-clock.ts';
import { wireDuration } from './queue-config.ts';

/** The fields of google.cloud.tasks.v2.Task that a caller may set. */
export type TaskSettings = {
  name?: string;
  httpRequest?: {
    url: string;
    httpMethod?: string;
    headers?: Record<string, string>;
    body?: Buffer | null;
    oidcToken?: { serviceAccountEmail: string; audience?: string } | null;
    oauthToken?: object | null;
  } | null;
  appEngineHttpRequest?: object | null;
  scheduleTime?: WireTimestamp | null;
  dispatchDeadline?: WireDuration | null;
};

export type HttpTarget = {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly oidc: { readonly email: string; readonly audience: string } | undefined;
};

export type Attempt = {
  readonly scheduleTimeMs: number;
  readonly dispatchTimeMs: number;
  responseTimeMs?: number;
  /** The HTTP status, or undefined while unanswered or when no answer came. */
  status?: number | undefined;
  error?: string;
};

export type Task = {
  readonly name: string;
  readonly target: HttpTarget;
  readonly createTimeMs: number;
  readonly dispatchDeadlineMs: number;
  /** When it is to be attempted next. */
  scheduleTimeMs: number;
  dispatchCount: number;
  responseCount: number;
  firstAttempt?: Attempt;
  lastAttempt?: Attempt;
};

export type TaskView = 'BASIC' | 'FULL' | 'VIEW_UNSPECIFIED';

const maxScheduleAheadMs = 30 * 24 * 3_600_000;
const maxTaskBytes = 1_048_576;
const taskName = /^projects\/[^/]+\/locations\/[^/]+\/queues\/[A-Za-z0-9-]{1,100}\/tasks\/[\w-]{1,500}$/;

/** Checks a task as CreateTask does and gives it a name if it has none. Throws INVALID_ARGUMENT with Google's words. */
export function newTask(queueName: string, settings: TaskSettings, nowMs: number): Task {
  const name = settings.name || `${queueName}/tasks/${randomInt(1, 2 ** 47)}`;
  if (!taskName.test(name)) {
    throw invalid(
      'Task name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>"',
    );
  }
  if (!name.startsWith(`${queueName}/tasks/`)) {
    throw invalid(
      `The queue name from request ('${queueName}') must be the same as the queue name in the named task ('${name}').`,
    );
  }
  const scheduleTimeMs = Math.max(nowMs, settings.scheduleTime ? wireMs(settings.scheduleTime) : nowMs);
  if (scheduleTimeMs - nowMs > maxScheduleAheadMs) {
    const scheduleTime = new Date(scheduleTimeMs).toISOString();
    throw invalid(
      `The Task.scheduleTime, ${scheduleTime}, is too far in the future. Schedule time must be no more than 720h in the future.`,
    );
  }
  const dispatchDeadlineMs = settings.dispatchDeadline ? wireMs(settings.dispatchDeadline) : 600_000;
  if (dispatchDeadlineMs < 15_000 || dispatchDeadlineMs > 1_800_000) {
    throw invalid('Task.dispatchDeadline must be between [15s, 30m].');
  }
  return {
    name,
    target: httpTarget(settings),
    createTimeMs: nowMs,
    dispatchDeadlineMs,
    scheduleTimeMs,
    dispatchCount: 0,
    responseCount: 0,
  };
}

function httpTarget({ httpRequest, appEngineHttpRequest }: TaskSettings): HttpTarget {
  if (appEngineHttpRequest || httpRequest?.oauthToken) {
    throw new GrpcError(GrpcCode.UNIMPLEMENTED, 'The embedded Cloud Tasks has HTTP targets with OIDC tokens only.');
  }
  if (!httpRequest) throw invalid('Task.message_type is required.');
  const { url, headers = {}, oidcToken } = httpRequest;
  const body = httpRequest.body ?? Buffer.alloc(0);
  const method =
    !httpRequest.httpMethod || httpRequest.httpMethod === 'HTTP_METHOD_UNSPECIFIED' ? 'POST' : httpRequest.httpMethod;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw invalid('HttpRequest.url must start with "http://" or "https://".');
  if (body.length > 0 && !['POST', 'PUT', 'PATCH'].includes(method))
    throw invalid(`HTTP method ${method} must not have a body.`);
  if (body.length + url.length + JSON.stringify(headers).length > maxTaskBytes) throw invalid('Task size too large.');
  return {
    url,
    method,
    headers,
    body,
    oidc: oidcToken ? { email: oidcToken.serviceAccountEmail, audience: oidcToken.audience || url } : undefined,
  };
}

/** google.cloud.tasks.v2.Task for the wire; the body only in the FULL view. */
export function wireTask(task: Task, view: TaskView = 'BASIC'): object {
  const { target } = task;
  const full = view === 'FULL';
  return {
    name: task.name,
    httpRequest: {
      url: target.url,
      httpMethod: target.method,
      headers: target.headers,
      ...(full && { body: target.body }),
      ...(target.oidc && { oidcToken: { serviceAccountEmail: target.oidc.email, audience: target.oidc.audience } }),
    },
    scheduleTime: wireTimestamp(task.scheduleTimeMs),
    createTime: wireTimestamp(task.createTimeMs),
    dispatchDeadline: wireDuration(task.dispatchDeadlineMs),
    dispatchCount: task.dispatchCount,
    responseCount: task.responseCount,
    ...(task.firstAttempt && { firstAttempt: wireAttempt(task.firstAttempt) }),
    ...(task.lastAttempt && { lastAttempt: wireAttempt(task.lastAttempt) }),
    view: full ? 'FULL' : 'BASIC',
  };
}

function wireAttempt(attempt: Attempt): object {
  return {
    scheduleTime: wireTimestamp(attempt.scheduleTimeMs),
    dispatchTime: wireTimestamp(attempt.dispatchTimeMs),
    ...(attempt.responseTimeMs !== undefined && {
      responseTime: wireTimestamp(attempt.responseTimeMs),
      responseStatus: {
        code: attempt.status === undefined ? GrpcCode.UNAVAILABLE : GrpcCode.UNKNOWN,
        message: attempt.error ?? `HTTP status code ${attempt.status}`,
      },
    }),
  };
}

/** The request of a task's next attempt, with Cloud Tasks' own headers; those of the task cannot replace them. */
export function taskHeaders(queueId: string, task: Task, bearer: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(task.target.headers)) {
    if (!/^x-(cloudtasks|google)-/i.test(key)) headers[key.toLowerCase()] = value;
  }
  if (task.target.body.length > 0) headers['content-type'] ??= 'application/octet-stream';
  if (bearer) headers['authorization'] = `Bearer ${bearer}`;
  headers['user-agent'] = 'Google-Cloud-Tasks';
  headers['x-cloudtasks-queuename'] = queueId;
  headers['x-cloudtasks-taskname'] = task.name.slice(task.name.lastIndexOf('/') + 1);
  headers['x-cloudtasks-taskretrycount'] = String(task.dispatchCount);
  headers['x-cloudtasks-taskexecutioncount'] = String(task.responseCount);
  headers['x-cloudtasks-tasketa'] = String(task.scheduleTimeMs / 1000);
  const previous = task.lastAttempt?.status;
  if (previous !== undefined) headers['x-cloudtasks-taskpreviousresponse'] = String(previous);
  return headers;
}

function invalid(message: string): GrpcError {
  return new GrpcError(GrpcCode.INVALID_ARGUMENT, message);
}
