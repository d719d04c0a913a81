/** @file A process of a run as a client sees it: it appends to the log and tells of what it appends. */
import { appendFile, readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { RunEvent } from '../../../../server/protocol/run/events.ts';
import { SIDECAR_PROTOCOL_VERSION, type LiveState } from '../../../../server/protocol/wire/sidecar.ts';
import { identify } from '../../../../server/runs/liveProcess.ts';
import type { Run } from '../../../../server/runs/run.ts';
import { endpointOf, newName, runtimeFolder } from '../../../../server/runs/runtimeFolder.ts';
import { removeTicket, writeTicket } from '../../../../server/runs/tickets.ts';

interface FakeOptions {
  /** True for a sidecar that keeps several streams of events for a client; an older version has a single one. */
  readonly streams?: boolean;
  /** What it answers to each client's `initialize`. */
  readonly refusal?: string;
}

interface Subscriber {
  readonly client: MessageConnection;
  readonly stream: number | undefined;
}

const training: LiveState = { phase: 'training', step: 1, steps: 100 };

export class FakeSidecar {
  readonly #run: Run;
  readonly #folder = runtimeFolder();
  readonly #name = newName();
  readonly #server: Server;
  readonly #subscribers = new Set<Subscriber>();
  readonly #sockets = new Set<Socket>();
  readonly #options: FakeOptions;
  /** How often it has been connected to. */
  connected = 0;
  /** What it has recorded, also what has not reached the disk. */
  #log: Buffer;

  private constructor(run: Run, server: Server, log: Buffer, options: FakeOptions) {
    this.#options = options;
    this.#run = run;
    this.#server = server;
    this.#log = log;
  }

  /** Takes a ticket, opens its socket and takes the run. */
  static async start(run: Run, options: FakeOptions = {}): Promise<FakeSidecar> {
    const server = createServer();
    const log = await readFile(run.eventsFile).catch(() => Buffer.alloc(0)); // Nothing recorded yet.
    const sidecar = new FakeSidecar(run, server, log, options);
    server.on('connection', (socket) => sidecar.#serve(socket));
    const own = identify(process.pid);
    writeTicket(sidecar.#folder, sidecar.#name, { process: own, run: run.path });
    await new Promise<void>((resolve) => server.listen(endpointOf(sidecar.#folder, sidecar.#name), resolve));
    await run.update({ state: 'running', process: own });
    return sidecar;
  }

  /** Appends to the log and tells the clients; `unflushed` events never reach the disk. */
  async record(events: readonly RunEvent[], { unflushed = false } = {}): Promise<void> {
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    if (!unflushed) await appendFile(this.#run.eventsFile, text);
    this.#log = Buffer.concat([this.#log, Buffer.from(text)]);
    const offset = this.#log.length;
    for (const { client, stream } of this.#subscribers)
      await client.sendNotification('events', { offset, events, stream });
  }

  /** Tells the clients that the run is at a step. */
  async tellStep(step: number): Promise<void> {
    for (const client of this.#clients) await client.sendNotification('state', { ...training, step });
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  get #clients(): Set<MessageConnection> {
    return new Set([...this.#subscribers].map(({ client }) => client));
  }

  /** As if killed: nothing is said. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    removeTicket(this.#folder, this.#name);
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const client = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    this.connected++;
    const { refusal, streams = true } = this.#options;
    client.onRequest('initialize', () => {
      if (refusal !== undefined) throw new ResponseError(ErrorCodes.InvalidRequest, refusal);
      const described = { protocol: SIDECAR_PROTOCOL_VERSION, run: this.#run.id, pid: process.pid, state: training };
      return { ...described, ...(streams && { streams }) };
    });
    client.onRequest('subscribe', async (params: { offset: number; stream: number }) => {
      const { offset } = params;
      const stream = streams ? params.stream : undefined;
      const lines = this.#log.subarray(offset).toString().split('\n').filter(Boolean);
      const events = lines.map((line) => JSON.parse(line) as RunEvent);
      this.#leave(client, stream);
      this.#subscribers.add({ client, stream });
      await client.sendNotification('events', { offset: this.#log.length, events, stream });
      return null;
    });
    if (streams) client.onRequest('unsubscribe', ({ stream }: { stream: number }) => this.#leave(client, stream));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { stream } of this.#subscribers) this.#leave(client, stream);
      this.#sockets.delete(socket);
      client.dispose();
    });
    client.listen();
  }

  #leave(client: MessageConnection, stream: number | undefined): null {
    for (const subscriber of this.#subscribers)
      if (subscriber.client === client && subscriber.stream === stream) this.#subscribers.delete(subscriber);
    return null;
  }
}
