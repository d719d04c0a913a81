/** @file One connected client: its requests, and what is pushed to it as fast as it reads and no faster. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  createMessageConnection,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import { ZodError } from 'zod';
import {
  SIDECAR_PROTOCOL_VERSION,
  type LiveState,
  type SidecarMethod,
  type SidecarNotifications,
} from '../protocol/wire/sidecar.ts';
import { shortLine } from '../protocol/printable.ts';
import { UserError } from '../protocol/userError.ts';
import { messageOf } from '../protocol/thrown.ts';
import type { FeedReader } from './eventFeed.ts';
import { answer, methods, type Handlers } from './requests.ts';

/** Events that come at once go into one message; the first after a silence is not held back. */
const GATHER_MS = 50;
const LONGEST_NAME = 100;

export class Client {
  /** As it calls itself, in one line: it is written to the log. */
  name = 'a client';
  readonly #socket: Socket;
  readonly #rpc: MessageConnection;
  readonly #state: () => LiveState;
  readonly #drained: Promise<void>;
  readonly #left: Promise<void>;
  #initialized = false;
  /** By the number of its stream; a client with a single reader need not number it. */
  readonly #readers = new Map<number | undefined, FeedReader>();
  #stateDue = false;
  #closed = false;
  #ending = false;
  #wake: () => void = () => undefined;

  constructor(
    socket: Socket,
    {
      handlers,
      state,
      onClose,
    }: { handlers: Handlers<Client>; state: () => LiveState; onClose: (client: Client) => void },
  ) {
    this.#socket = socket;
    this.#state = state;
    this.#rpc = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    for (const method of methods)
      this.#rpc.onRequest(method, (params: unknown) => this.#answer(handlers, method, params));
    this.#rpc.onError(() => this.#close());
    socket.on('error', () => undefined); // Followed by `close`.
    this.#left = new Promise((resolve) =>
      socket.on('close', () => {
        this.#close();
        onClose(this);
        resolve();
      }),
    );
    this.#rpc.listen();
    this.#drained = this.#push();
  }

  get initialized(): boolean {
    return this.#initialized;
  }

  /** @throws ResponseError where it speaks another version */
  initialize(protocol: number, name: string): void {
    if (protocol !== SIDECAR_PROTOCOL_VERSION) {
      throw new ResponseError(
        ErrorCodes.InvalidRequest,
        `The run is trained by another version of DeepTwist: it speaks protocol ${SIDECAR_PROTOCOL_VERSION}, this window ` +
          `${protocol}. Reload the window; if that does not help, stop the run with \`kill ${process.pid}\` and resume it.`,
      );
    }
    this.name = shortLine(name, LONGEST_NAME);
    this.#initialized = true;
  }

  /** From now on the client receives in this stream what the reader reads. */
  subscribe(reader: FeedReader, stream: number | undefined): void {
    this.#readers.set(stream, reader);
    this.#wake();
  }

  unsubscribe(stream: number): void {
    this.#readers.delete(stream);
  }

  /** There may be something new to read. */
  wake(): void {
    this.#wake();
  }

  /** The state shall be told. */
  stateChanged(): void {
    this.#stateDue = true;
    this.#wake();
  }

  /**
   * Sends what is left, for at most so many milliseconds, and closes the connection: a client that has handled it all leaves
   * by itself.
   */
  async end(milliseconds: number): Promise<void> {
    this.#ending = true;
    this.#wake();
    const left = this.#initialized ? this.#left : this.#drained;
    await Promise.race([left, sleep(milliseconds, undefined, { ref: false })]);
    this.#close();
  }

  async #answer(handlers: Handlers<Client>, method: SidecarMethod, params: unknown): Promise<unknown> {
    if (!this.#initialized && method !== 'initialize')
      throw new ResponseError(ErrorCodes.ServerNotInitialized, `'initialize' comes before '${method}'.`);
    try {
      // Nothing is an answer too; JSON-RPC writes it as null.
      return (await answer(handlers, method, params, this)) ?? null;
    } catch (error) {
      if (error instanceof ResponseError) throw error;
      const code = error instanceof ZodError ? ErrorCodes.InvalidParams : ErrorCodes.InternalError;
      const remedy = error instanceof UserError ? error.remedy : undefined;
      throw new ResponseError(code, messageOf(error), { remedy });
    }
  }

  /** Until the client leaves, or has everything at the end. A write is done when the client's side has room for it. */
  async #push(): Promise<void> {
    while (!this.#closed) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      let sent = false;
      let caughtUp = true;
      for (const [stream, reader] of [...this.#readers]) {
        const batch = await reader.read().catch(() => undefined);
        // Subscribed anew or unsubscribed meanwhile: what was read is of the old place.
        if (!batch || this.#readers.get(stream) !== reader) continue;
        await this.#send('events', stream === undefined ? batch : { ...batch, stream });
        sent = true;
        caughtUp &&= reader.caughtUp;
      }
      if (sent && this.#ending) continue; // The last state comes after the last event.
      const stateDue = this.#stateDue && this.#initialized;
      if (stateDue) {
        this.#stateDue = false;
        await this.#send('state', this.#state());
      }
      if (sent && caughtUp) await sleep(GATHER_MS, undefined, { ref: false });
      if (sent || stateDue) continue;
      if (this.#ending) return;
      await woken;
    }
  }

  async #send<M extends keyof SidecarNotifications>(method: M, params: SidecarNotifications[M]): Promise<void> {
    if (this.#closed) return;
    await this.#rpc.sendNotification(method, params).catch(() => this.#close());
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rpc.dispose();
    this.#socket.end();
    this.#socket.destroySoon();
    this.#wake();
  }
}
