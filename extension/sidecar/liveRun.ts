/** @file A run's process as the extension speaks with it. */
import { EventEmitter, type Event } from 'vscode';
import type { LiveState, SidecarMethod, SidecarParams, SidecarResult } from '../../server/protocol/wire/sidecar.ts';
import type { SidecarConnection } from '../../server/sidecarClient/sidecarConnection.ts';
import { Disposable } from '../dispose.ts';
import type { SharedConnection } from './sidecarConnections.ts';

/** Lives as long as the connection; its end is told by {@link onDidClose}. */
export class LiveRun extends Disposable {
  readonly #connection: SidecarConnection;
  readonly #stateEmitter = this.register(new EventEmitter<LiveState>());
  readonly #closeEmitter = this.register(new EventEmitter<void>());

  readonly onDidChangeState: Event<LiveState> = this.#stateEmitter.event;
  /** The process has ended or cannot be reached any more, which `run.json` tells; or this was disposed of. */
  readonly onDidClose: Event<void> = this.#closeEmitter.event;

  constructor({ connection, release }: SharedConnection) {
    super();
    this.#connection = connection;
    this.register({ dispose: () => this.#closeEmitter.fire() });
    this.register({ dispose: release });
    this.register({ dispose: connection.onState((state) => this.#stateEmitter.fire(state)) });
    this.register({ dispose: connection.onClose(() => this.dispose()) });
  }

  get state(): LiveState {
    return this.#connection.state;
  }

  get closed(): boolean {
    return this.disposed;
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
}
