/** @file A run's process as the extension speaks with it. */
import { EventEmitter, type Event } from 'vscode';
import type { LiveState, SidecarMethod, SidecarParams, SidecarResult } from '../../server/protocol/wire/sidecar.ts';
import type { SidecarConnection } from '../../server/sidecarClient/sidecarConnection.ts';

/** Lives as long as the connection; whoever holds it sees the end by {@link onDidClose}. */
export class LiveRun {
  readonly #connection: SidecarConnection;
  readonly #stateEmitter = new EventEmitter<LiveState>();
  readonly #closeEmitter = new EventEmitter<void>();
  #state: LiveState;

  readonly onDidChangeState: Event<LiveState> = this.#stateEmitter.event;
  /** The process has ended or cannot be reached any more: `run.json` tells how it stands. */
  readonly onDidClose: Event<void> = this.#closeEmitter.event;

  constructor(connection: SidecarConnection) {
    this.#connection = connection;
    this.#state = connection.sidecar.state;
    connection.onState((state) => {
      this.#state = state;
      this.#stateEmitter.fire(state);
    });
    connection.onClose(() => {
      this.#closeEmitter.fire();
      this.#stateEmitter.dispose();
      this.#closeEmitter.dispose();
    });
  }

  get state(): LiveState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  /** @throws UserError as {@link SidecarConnection.request} */
  request<M extends SidecarMethod>(
    method: M,
    ...rest: undefined extends SidecarParams<M>
      ? [params?: SidecarParams<M>, signal?: AbortSignal]
      : [params: SidecarParams<M>, signal?: AbortSignal]
  ): Promise<SidecarResult<M>> {
    return this.#connection.request(method, ...rest);
  }

  dispose(): void {
    this.#connection.dispose();
  }
}
