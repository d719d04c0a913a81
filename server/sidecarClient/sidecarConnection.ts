/**
 * @file A client's connection to the process that trains a run.
 * ```
 * const connection = await connectToSidecar(findRunProcess(run), { client: 'window 1', signal });
 * await connection.subscribe({ offset, cuts }, ({ events, offset }) => …, signal);
 * await connection.request('pause', undefined, signal);
 * connection.onClose(() => …); // The run has ended, or its process was killed: run.json tells.
 * connection.dispose();
 * ```
 */
import { createConnection, type Socket } from 'node:net';
import {
  CancellationTokenSource,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  createMessageConnection,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import {
  SIDECAR_PROTOCOL_VERSION,
  type InitializeResult,
  type LiveState,
  type SidecarMethod,
  type SidecarNotifications,
  type SidecarParams,
  type SidecarResult,
} from '../protocol/wire/sidecar.ts';
import { UserError } from '../protocol/userError.ts';
import { messageOf } from '../protocol/thrown.ts';
import type { RunProcess } from '../runs/tickets.ts';
import { SidecarRefusal } from './sidecarRefusal.ts';

const CONNECT_MS = 1000;
/** A process that prepares a run may be busy for a few seconds, reading data or compiling. */
const ANSWER_MS = 10_000;
/** These are answered after the current step. */
const STEP_MS = 120_000;
const afterStep = new Set<SidecarMethod>(['pause', 'observe', 'checkpoint', 'change']);

type Listener<T> = (value: T) => void;

/**
 * Connects and shakes hands.
 * @param found as {@link findRunProcess} found it: an address from a run folder may be anybody's
 * @param options.client what the sidecar's log calls this client
 * @throws SidecarRefusal where the process is of another protocol version, or another than the run's; UserError where none
 *   answers at the endpoint; what `signal` was aborted with
 */
export async function connectToSidecar(
  found: Pick<RunProcess, 'endpoint' | 'process'>,
  { client, signal }: { client: string; signal?: AbortSignal },
): Promise<SidecarConnection> {
  const socket = await openSocket(found.endpoint, signal);
  const connection = new SidecarConnection(socket);
  try {
    await connection.initialize(client, signal);
    if (connection.sidecar.pid !== found.process.pid) {
      throw new SidecarRefusal(`Another process than that of the run answers at ${found.endpoint}.`);
    }
    return connection;
  } catch (error) {
    connection.dispose();
    throw error;
  }
}

/**
 * Every request ends: with its result, or with an error as soon as the connection closes, the signal aborts or its time is
 * over. What arrives after {@link dispose} is dropped.
 */
export class SidecarConnection {
  readonly #socket: Socket;
  readonly #rpc: MessageConnection;
  readonly #closed = new AbortController();
  /** By number. */
  readonly #streams = new Map<number, Listener<SidecarNotifications['events']>>();
  #streamCount = 0;
  readonly #states = new Set<Listener<SidecarNotifications['state']>>();
  readonly #closeListeners = new Set<() => void>();
  #initialized: InitializeResult | undefined;
  #state: LiveState | undefined;

  /** Use {@link connectToSidecar}. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#rpc = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    this.#rpc.onNotification('events', (batch: SidecarNotifications['events']) => {
      if (batch.stream !== undefined) this.#streams.get(batch.stream)?.(batch);
      else for (const listener of this.#streams.values()) listener(batch);
    });
    this.#rpc.onNotification('state', (state: SidecarNotifications['state']) => {
      this.#state = state;
      for (const listener of [...this.#states]) listener(state);
      // The last that comes. The sidecar waits until its clients have gone: what is still on its way is not lost so.
      if (state.phase === 'ended') this.#close();
    });
    this.#rpc.onError(() => this.#close());
    socket.on('error', () => undefined); // Followed by `close`.
    socket.on('close', () => this.#close());
    this.#rpc.listen();
  }

  /** What the sidecar said of itself when it was connected to. */
  get sidecar(): InitializeResult {
    if (!this.#initialized) throw new Error('The connection is not initialized.');
    return this.#initialized;
  }

  /** How the run stands, as the sidecar said last. */
  get state(): LiveState {
    return this.#state ?? this.sidecar.state;
  }

  get closed(): boolean {
    return this.#closed.signal.aborted;
  }

  async initialize(client: string, signal?: AbortSignal): Promise<void> {
    try {
      this.#initialized = await this.request('initialize', { protocol: SIDECAR_PROTOCOL_VERSION, client }, signal);
    } catch (error) {
      if (!(error instanceof UserError && error.cause instanceof ResponseError)) throw error;
      throw new SidecarRefusal(error.message, { remedy: error.remedy, cause: error });
    }
  }

  /**
   * @throws UserError with what the sidecar answered, or that it is gone or does not answer; what `signal` was aborted with
   */
  async request<M extends SidecarMethod>(
    method: M,
    ...[params, signal]: undefined extends SidecarParams<M>
      ? [params?: SidecarParams<M>, signal?: AbortSignal]
      : [params: SidecarParams<M>, signal?: AbortSignal]
  ): Promise<SidecarResult<M>> {
    signal?.throwIfAborted();
    if (this.closed) throw gone(method);
    const token = new CancellationTokenSource();
    let timer: NodeJS.Timeout | undefined;
    let stopWaiting: (() => void) | undefined;
    const interrupted = new Promise<never>((_, reject) => {
      const onClose = () => reject(gone(method));
      const onAbort = () => reject(signal?.reason as Error);
      const milliseconds = afterStep.has(method) ? STEP_MS : ANSWER_MS;
      timer = setTimeout(() => reject(silent(method, milliseconds)), milliseconds);
      this.#closed.signal.addEventListener('abort', onClose);
      signal?.addEventListener('abort', onAbort);
      stopWaiting = () => {
        this.#closed.signal.removeEventListener('abort', onClose);
        signal?.removeEventListener('abort', onAbort);
      };
    });
    const answer = this.#rpc.sendRequest<SidecarResult<M>>(method, params ?? null, token.token);
    answer.catch(() => undefined); // A failure that nobody waits for any more is none.
    try {
      return await Promise.race([answer, interrupted]);
    } catch (error) {
      token.cancel();
      if (error instanceof UserError || signal?.aborted === true) throw error;
      if (this.closed) throw gone(method);
      const remedy =
        error instanceof ResponseError ? (error.data as { remedy?: string } | undefined)?.remedy : undefined;
      throw new UserError(messageOf(error), { remedy, cause: error });
    } finally {
      clearTimeout(timer);
      stopWaiting?.();
      token.dispose();
    }
  }

  /**
   * Follows the run's events from a place in its log until the signal is aborted or the connection closes. A sidecar without
   * `streams` has one such stream for a connection: subscribing again moves it.
   * @throws as {@link request}
   */
  async subscribe(
    position: { readonly offset: number; readonly cuts?: number },
    listener: Listener<SidecarNotifications['events']>,
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    const stream = this.#streamCount++;
    this.#streams.set(stream, listener);
    const end = () => {
      this.#streams.delete(stream);
      if (this.sidecar.streams) this.request('unsubscribe', { stream }).catch(() => undefined);
    };
    signal?.addEventListener('abort', end, { once: true });
    await this.request('subscribe', { ...position, stream }, signal);
  }

  /** @returns how to stop listening */
  onState(listener: Listener<SidecarNotifications['state']>): () => void {
    this.#states.add(listener);
    return () => this.#states.delete(listener);
  }

  /**
   * The other side has gone, or {@link dispose} was called; at once where that has happened. Called once.
   * @returns how to stop listening
   */
  onClose(listener: () => void): () => void {
    if (this.closed) listener();
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  dispose(): void {
    this.#streams.clear();
    this.#states.clear();
    this.#close();
  }

  #close(): void {
    if (this.closed) return;
    this.#closed.abort();
    this.#rpc.dispose();
    this.#socket.destroy();
    const listeners = [...this.#closeListeners];
    this.#closeListeners.clear();
    for (const listener of listeners) listener();
  }
}

function openSocket(endpoint: string, signal: AbortSignal | undefined): Promise<Socket> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = createConnection(endpoint);
    const fail = (error: Error) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal?.reason as Error);
    const onError = (cause?: Error) =>
      fail(new UserError(`No process answers at ${endpoint}: the run's process has ended.`, { cause }));
    const timer = setTimeout(onError, CONNECT_MS);
    signal?.addEventListener('abort', onAbort);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function gone(method: string): UserError {
  return new UserError(`The run's process has ended before it answered '${method}'.`);
}

function silent(method: string, milliseconds: number): UserError {
  return new UserError(`The run's process has not answered '${method}' in ${milliseconds / 1000} s.`, {
    remedy:
      'It is busy in one step, or does not come out of it. Wait, or end it; it can be resumed from its checkpoint.',
  });
}
