/** @file The sidecar's socket and its clients. */
import { createServer, type Server } from 'node:net';
import type { LiveState, WhenAlone } from '../protocol/wire/sidecar.ts';
import { Client } from './client.ts';
import type { Handlers } from './requests.ts';

/** A state that changes with every step is told this often; a phase that changes, at once. */
const STATE_MS = 250;
const DRAIN_MS = 5000;
const ALONE_MS = 20_000;
/** A run needs file descriptors of its own, of which macOS gives a process 256. */
const MOST_CLIENTS = 128;

export interface ServerHost {
  readonly handlers: Omit<Handlers<Client>, 'initialize' | 'whenAlone'>;
  /** Answer to `initialize`, apart from the state. */
  readonly run: string;
  state(): LiveState;
  /** What was to be done when no client is left. */
  alone(action: WhenAlone): void;
  log(message: string): void;
}

export class SidecarServer {
  #server: Server;
  readonly #host: ServerHost;
  readonly #clients = new Set<Client>();
  readonly #handlers: Handlers<Client>;
  #whenAlone: { action: WhenAlone; afterMs: number } = { action: 'continue', afterMs: ALONE_MS };
  #aloneTimer: NodeJS.Timeout | undefined;
  #stateTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(host: ServerHost) {
    this.#host = host;
    this.#handlers = {
      ...host.handlers,
      initialize: ({ protocol, client: name }, client) => {
        client.initialize(protocol, name);
        host.log(`${client.name} has connected.`);
        clearTimeout(this.#aloneTimer);
        return { protocol, run: host.run, pid: process.pid, state: host.state(), streams: true };
      },
      whenAlone: ({ action, afterMs = ALONE_MS }) => {
        this.#whenAlone = { action, afterMs };
      },
    };
    this.#server = this.#create();
  }

  listen(endpoint: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(endpoint, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#host.log(String(error)));
        resolve();
      });
    });
  }

  /** Makes the socket again where it was removed; the clients stay. */
  async listenAgain(endpoint: string): Promise<void> {
    if (this.#ended) return;
    this.#server.close();
    this.#server = this.#create();
    await this.listen(endpoint).catch((error: unknown) => this.#host.log(String(error))); // It is tried again.
  }

  #create(): Server {
    const server = createServer((socket) => {
      const client = new Client(socket, {
        handlers: this.#handlers,
        state: () => this.#host.state(),
        onClose: () => this.#left(client),
      });
      this.#clients.add(client);
    });
    server.maxConnections = MOST_CLIENTS; // What comes beyond is closed at once.
    return server;
  }

  /** Tells all clients that there is an event, and a little later how far the run is. */
  eventAdded(): void {
    for (const client of this.#clients) client.wake();
    this.progressed();
  }

  /** Tells all clients, a little later, how far the run is. */
  progressed(): void {
    if (this.#clients.size === 0) return;
    this.#stateTimer ??= setTimeout(() => this.stateChanged(), STATE_MS);
  }

  stateChanged(): void {
    clearTimeout(this.#stateTimer);
    this.#stateTimer = undefined;
    for (const client of this.#clients) client.stateChanged();
  }

  /** Tells the last events and the last state, and closes. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#server.close();
    clearTimeout(this.#aloneTimer);
    this.stateChanged();
    await Promise.all([...this.#clients].map((client) => client.end(DRAIN_MS)));
  }

  #left(client: Client): void {
    this.#clients.delete(client);
    if (!client.initialized || this.#ended) return;
    this.#host.log(`${client.name} has left.`);
    if ([...this.#clients].some(({ initialized }) => initialized)) return;
    const { action, afterMs } = this.#whenAlone;
    if (action === 'continue') return;
    this.#aloneTimer = setTimeout(() => this.#host.alone(action), afterMs);
  }
}
