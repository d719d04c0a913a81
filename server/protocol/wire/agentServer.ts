/** @file How the command `deeptwist mcp` starts the server of agents, which is a bundle of its own. */

/** How a person is asked before training starts or a user's module is loaded: by the server (`ask`), or by the host alone (`host`). */
export const confirmModes = ['ask', 'host'] as const;
export type ConfirmMode = (typeof confirmModes)[number];

export interface AgentServerOptions {
  /** Folders that tools may use, absolute; empty: those of the client, else {@link directory}. */
  readonly folders: readonly string[];
  /** The folder in which the command was started. */
  readonly directory: string;
  readonly confirm: ConfirmMode;
  /** True: no tool that writes, trains or loads a user's module is offered. */
  readonly readOnly: boolean;
}

/** What the bundle exports. */
export interface AgentServerModule {
  /** Serves standard input and output. Resolves when the client has gone and all that was under way has ended. */
  serveAgents(options: AgentServerOptions): Promise<void>;
}
