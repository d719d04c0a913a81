/** @file Requests to MLflow's server: https://mlflow.org/docs/latest/api_reference/rest-api.html */
import * as z from 'zod';
import { messageOf } from '../../protocol/thrown.ts';
import { UserError } from '../../protocol/userError.ts';

/** A request that has no answer after that long has none. */
const TIMEOUT_MS = 20_000;

/** The server does not answer at the moment: what was asked of it can be asked again. */
export class ServerAwayError extends UserError {
  /** True if there was no connection, or it was lost; false if the server says that it is in trouble, or takes too long. */
  get isUnreachable(): boolean {
    return this.cause !== undefined && (this.cause as Partial<Error>).name !== 'TimeoutError';
  }
}

/** The server has refused a request, with an error of MLflow. */
export class RefusedRequestError extends UserError {
  /** `RESOURCE_DOES_NOT_EXIST`, …; empty where the answer was no MLflow's. */
  readonly code: string;

  constructor(message: string, code: string, remedy?: string) {
    super(message, { remedy });
    this.code = code;
  }
}

const refusal = z.object({ error_code: z.string().default(''), message: z.string().default('') });

/** Environment variables of MLflow's own client. */
export type MlflowEnvironment = Readonly<
  Partial<Record<'MLFLOW_TRACKING_TOKEN' | 'MLFLOW_TRACKING_USERNAME' | 'MLFLOW_TRACKING_PASSWORD', string>>
>;

type Query = Readonly<Record<string, string>>;

export class MlflowServer {
  readonly uri: string;
  readonly #authorization: string | undefined;
  readonly #signal: AbortSignal;

  /** @param signal aborted: requests are given up, as if the server were away */
  constructor(uri: string, signal: AbortSignal, environment: MlflowEnvironment = process.env) {
    this.uri = uri.replace(/\/+$/, '');
    this.#signal = signal;
    this.#authorization = authorizationOf(environment);
  }

  async get<Answer>(method: string, query: Query, answer: z.ZodType<Answer>): Promise<Answer> {
    const body = await this.#request(`/api/2.0/mlflow/${method}?${new URLSearchParams(query).toString()}`, {});
    return this.#parse(body, answer);
  }

  async post<Answer>(method: string, body: unknown, answer: z.ZodType<Answer>): Promise<Answer> {
    const said = await this.#request(`/api/2.0/mlflow/${method}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return this.#parse(said, answer);
  }

  /** Puts a file where the server passes artifacts on to its store. */
  async putArtifact(path: string, content: Uint8Array<ArrayBuffer>): Promise<void> {
    const escaped = path.split('/').map(encodeURIComponent).join('/');
    await this.#request(`/api/2.0/mlflow-artifacts/artifacts/${escaped}`, { method: 'PUT', body: content });
  }

  /** @returns the text of the answer */
  async #request(path: string, init: RequestInit): Promise<string> {
    const headers = new Headers(init.headers);
    if (this.#authorization !== undefined) headers.set('Authorization', this.#authorization);
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
    let response: Response;
    let body: string;
    try {
      response = await fetch(this.uri + path, { ...init, headers, signal });
      body = await response.text();
    } catch (error) {
      throw new ServerAwayError(`The MLflow server ${this.uri} does not answer: ${reasonOf(error)}.`, {
        remedy: 'Start it, or correct its address.',
        cause: error,
      });
    }
    if (!response.ok) throw this.#refusal(response.status, body);
    return body;
  }

  #refusal(status: number, body: string): UserError {
    const { error_code: code, message } = parsed(body, refusal) ?? { error_code: '', message: '' };
    const said = message === '' ? '' : `: ${message.split('\n')[0]}`;
    if (status === 401 || status === 403)
      return new RefusedRequestError(
        `The MLflow server ${this.uri} refuses ${this.#authorization === undefined ? 'requests without a name' : 'the token or the password'} (${status})${said}.`,
        code,
        'Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, in the environment.',
      );
    if (status === 408 || status === 429 || status >= 500)
      return new ServerAwayError(`The MLflow server ${this.uri} is in trouble (${status})${said}.`);
    if (status === 413)
      return new RefusedRequestError(
        `The MLflow server ${this.uri} takes nothing that is so large (413)${said}.`,
        code,
      );
    if (code !== '') return new RefusedRequestError(`The MLflow server ${this.uri} answers ${code}${said}.`, code);
    return this.#noMlflow(`it answers ${status}`);
  }

  #parse<Answer>(body: string, answer: z.ZodType<Answer>): Answer {
    const found = parsed(body, answer);
    if (found === undefined) throw this.#noMlflow('its answer is none of MLflow');
    return found;
  }

  #noMlflow(why: string): RefusedRequestError {
    return new RefusedRequestError(
      `There is no MLflow server at ${this.uri}: ${why}.`,
      '',
      'Give the address that you open its pages at, e.g. http://127.0.0.1:5000.',
    );
  }
}

function parsed<Answer>(body: string, schema: z.ZodType<Answer>): Answer | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

function authorizationOf({
  MLFLOW_TRACKING_TOKEN: token,
  MLFLOW_TRACKING_USERNAME: name,
  MLFLOW_TRACKING_PASSWORD: password,
}: MlflowEnvironment): string | undefined {
  // The order of MLflow's own client.
  if (name && password) return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  return token ? `Bearer ${token}` : undefined;
}

/** What a failed `fetch` failed by, which says only that it has. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const text = cause === undefined ? messageOf(error) : messageOf(cause);
  return (text === '' ? code : text).replace(/\.$/, '');
}
