/**
 * @file This window's connections to the processes of runs: one to each, shared by all that watch the run here. To the process,
 * which does something when its last client leaves, a window is one client. Knows nothing of VS Code.
 */
import type { RunProcess } from '../../server/runs/tickets.ts';
import { SidecarRefusal } from '../../server/sidecarClient/sidecarRefusal.ts';
import type { SidecarConnection } from '../../server/sidecarClient/sidecarConnection.ts';

/** One user's part in a connection. */
export interface SharedConnection {
  readonly connection: SidecarConnection;
  /** The connection closes with its last user. */
  release(): void;
}

interface Opened {
  readonly connection: Promise<SidecarConnection>;
  users: number;
  /** Closes it. */
  end(): void;
}

export class SidecarConnections {
  readonly #client: string;
  readonly #opened = new Map<string, Opened>();
  /** By endpoint. A process that refuses is not asked again. */
  readonly #refusals = new Map<string, SidecarRefusal>();

  /** @param client what the log of a run's process calls this window */
  constructor(client: string) {
    this.#client = client;
  }

  /**
   * @param options.subscribes the user follows events: of an older process, which has one stream for a connection, it gets a
   *   connection of its own
   * @throws as {@link connectToSidecar}
   */
  async connect(
    found: RunProcess,
    { subscribes = false, signal }: { subscribes?: boolean; signal?: AbortSignal } = {},
  ): Promise<SharedConnection> {
    signal?.throwIfAborted();
    const shared = await this.#share(found, signal);
    if (!subscribes || shared.connection.sidecar.streams) return shared;
    shared.release();
    const connection = await this.#open(found, signal);
    return { connection, release: () => connection.dispose() };
  }

  async #share(found: RunProcess, signal: AbortSignal | undefined): Promise<SharedConnection> {
    const opened = this.#opened.get(found.endpoint) ?? this.#openShared(found);
    opened.users++;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--opened.users === 0) opened.end();
    };
    try {
      return { connection: await unlessAborted(opened.connection, signal), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #openShared(found: RunProcess): Opened {
    const { endpoint } = found;
    const connection = this.#open(found);
    const forget = () => {
      if (this.#opened.get(endpoint) === opened) this.#opened.delete(endpoint);
    };
    const end = () => {
      forget();
      connection.then(
        (open) => open.dispose(),
        () => undefined, // Each user was told.
      );
    };
    const opened: Opened = { connection, users: 0, end };
    this.#opened.set(endpoint, opened);
    connection.then((open) => open.onClose(forget), forget);
    return opened;
  }

  async #open(found: RunProcess, signal?: AbortSignal): Promise<SidecarConnection> {
    const refusal = this.#refusals.get(found.endpoint);
    if (refusal) throw refusal;
    // Loaded with the first run that trains.
    const { connectToSidecar } = await import('../../server/sidecarClient/sidecarConnection.ts');
    try {
      return await connectToSidecar(found, { client: this.#client, signal });
    } catch (error) {
      if (error instanceof SidecarRefusal) this.#refusals.set(found.endpoint, error);
      throw error;
    }
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
