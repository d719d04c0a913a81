/** @file A process of a run as a client sees it: it appends to the log and tells of what it appends. */
import { appendFile, readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { RunEvent } from '../../../../server/protocol/run/events.ts';
import { SIDECAR_PROTOCOL_VERSION, type LiveState } from '../../../../server/protocol/wire/sidecar.ts';
import { identify } from '../../../../server/runs/liveProcess.ts';
import type { Run } from '../../../../server/runs/run.ts';
import { endpointOf, newName, runtimeFolder } from '../../../../server/runs/runtimeFolder.ts';
import { removeTicket, writeTicket } from '../../../../server/runs/tickets.ts';

const training: LiveState = { phase: 'training', step: 1, steps: 100 };

export class FakeSidecar {
  readonly #run: Run;
  readonly #folder = runtimeFolder();
  readonly #name = newName();
  readonly #server: Server;
  readonly #subscribers = new Set<MessageConnection>();
  readonly #sockets = new Set<Socket>();
  /** What it has recorded, also what has not reached the disk. */
  #log: Buffer;

  private constructor(run: Run, server: Server, log: Buffer) {
    this.#run = run;
    this.#server = server;
    this.#log = log;
  }

  /** Takes a ticket, opens its socket and takes the run. */
  static async start(run: Run): Promise<FakeSidecar> {
    const server = createServer();
    const log = await readFile(run.eventsFile).catch(() => Buffer.alloc(0)); // Nothing recorded yet.
    const sidecar = new FakeSidecar(run, server, log);
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
    for (const client of this.#subscribers) await client.sendNotification('events', { offset, events });
  }

  /** Tells the clients that the run is at a step. */
  async tellStep(step: number): Promise<void> {
    for (const client of this.#subscribers) await client.sendNotification('state', { ...training, step });
  }

  get subscribers(): number {
    return this.#subscribers.size;
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
    client.onRequest('initialize', () => ({
      protocol: SIDECAR_PROTOCOL_VERSION,
      run: this.#run.id,
      pid: process.pid,
      state: training,
    }));
    client.onRequest('subscribe', async ({ offset }: { offset: number }) => {
      const lines = this.#log.subarray(offset).toString().split('\n').filter(Boolean);
      const events = lines.map((line) => JSON.parse(line) as RunEvent);
      this.#subscribers.add(client);
      await client.sendNotification('events', { offset: this.#log.length, events });
      return null;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#subscribers.delete(client);
      this.#sockets.delete(socket);
      client.dispose();
    });
    client.listen();
  }
}
