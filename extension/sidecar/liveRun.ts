/** @file A run's process as the extension speaks with it. */
import { EventEmitter, type Event } from 'vscode';
import type {
  SidecarMethod,
  SidecarNotifications,
  SidecarParams,
  SidecarResult,
} from '../../server/protocol/sidecar.ts';
import type { LiveState } from '../../server/protocol/sidecar.ts';
import type { SidecarConnection } from '../../server/runs/sidecarConnection.ts';

/** Lives as long as the connection; whoever holds it sees the end by {@link onDidClose}. */
export class LiveRun {
  readonly #connection: SidecarConnection;
  readonly #stateEmitter = new EventEmitter<LiveState>();
  readonly #eventsEmitter = new EventEmitter<SidecarNotifications['events']>();
  readonly #closeEmitter = new EventEmitter<void>();
  #state: LiveState;

  readonly onDidChangeState: Event<LiveState> = this.#stateEmitter.event;
  /** After a `subscribe` request. */
  readonly onDidReceiveEvents: Event<SidecarNotifications['events']> = this.#eventsEmitter.event;
  /** The process has ended or cannot be reached any more: `run.json` tells how it stands. */
  readonly onDidClose: Event<void> = this.#closeEmitter.event;

  constructor(connection: SidecarConnection) {
    this.#connection = connection;
    this.#state = connection.sidecar.state;
    connection.onState((state) => {
      this.#state = state;
      this.#stateEmitter.fire(state);
    });
    connection.onEvents((events) => this.#eventsEmitter.fire(events));
    connection.onClose(() => {
      this.#closeEmitter.fire();
      for (const emitter of [this.#stateEmitter, this.#eventsEmitter, this.#closeEmitter]) emitter.dispose();
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
