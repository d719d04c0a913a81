/** @file A client's connection: what it can be asked, the folders that it works in, and what its user has allowed. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type InputRequests,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { isRecord } from '../protocol/record.ts';
import { UserError } from '../protocol/userError.ts';
import type { AgentServerOptions } from '../protocol/wire/agentServer.ts';
import { NeedsInput } from './tool.ts';
import { foldersOfRoots, Workspace } from './workspace.ts';

/** Keys of what the client is asked for in a call. */
const ROOTS = 'roots';
const ANSWER = 'answer';

export class Session {
  readonly #server: McpServer;
  readonly #options: AgentServerOptions;
  /** Those of the client; undefined until it has been asked. */
  #roots: readonly string[] | undefined;
  /** Names of tools that the user has allowed until the server ends. */
  readonly #allowed = new Set<string>();

  constructor(server: McpServer, options: AgentServerOptions) {
    this.#server = server;
    this.#options = options;
    server.server.setNotificationHandler('notifications/roots/list_changed', () => {
      this.#roots = undefined;
    });
  }

  /**
   * The folders that a call may use: those that the server was started with, else the client's, else where it was started.
   * @throws NeedsInput while the client is asked for them; UserError where they are no project
   */
  workspace(context: ServerContext): Workspace {
    const { folders, directory } = this.#options;
    if (folders.length > 0) return new Workspace(folders);
    if (!this.#roots && this.#clientCan(context, 'roots')) {
      const view = inputResponse(context.mcpReq.inputResponses, ROOTS);
      if (view.kind !== 'roots') throw asking({ [ROOTS]: inputRequired.listRoots() });
      this.#roots = foldersOfRoots(view.roots);
    }
    return new Workspace(this.#roots && this.#roots.length > 0 ? this.#roots : [directory]);
  }

  /**
   * Returns where a tool may do what it is about to.
   * @param isConfirmed what the call itself says
   * @throws NeedsInput while the user is asked; UserError where the user does not want it, or has to be asked by the agent
   */
  confirm(context: ServerContext, tool: string, question: string, isConfirmed: boolean): void {
    if (this.#options.confirm === 'host' || this.#allowed.has(tool)) return;
    if (!this.#clientCan(context, 'elicitation')) {
      if (isConfirmed) return;
      throw new UserError(`${question} Nothing has been done yet.`, {
        remedy: 'Ask the user. When the user agrees, repeat the call with "confirm": true.',
      });
    }
    const view = inputResponse(context.mcpReq.inputResponses, ANSWER);
    if (view.kind !== 'elicit') throw asking({ [ANSWER]: inputRequired.elicit(questionOf(question, tool)) });
    if (view.action !== 'accept')
      throw new UserError('The user does not want this: nothing was done.', {
        remedy: 'Ask what to do instead; do not try it in another way.',
      });
    if (view.content?.remember === true) this.#allowed.add(tool);
  }

  /** What the request itself says, since the revision of 2026; before, the beginning of the connection. */
  #clientCan({ mcpReq }: ServerContext, what: 'elicitation' | 'roots'): boolean {
    const envelope: unknown = mcpReq.envelope;
    const capabilities: unknown =
      (isRecord(envelope) ? envelope[CLIENT_CAPABILITIES_META_KEY] : undefined) ??
      this.#server.server.getClientCapabilities();
    const capability = isRecord(capabilities) ? capabilities[what] : undefined;
    // One that can show pages alone cannot ask in a form.
    return isRecord(capability) && (what === 'roots' || 'form' in capability || !('url' in capability));
  }
}

function asking(inputRequests: InputRequests): NeedsInput {
  return new NeedsInput(inputRequired({ inputRequests }));
}

function questionOf(message: string, tool: string) {
  return {
    message,
    requestedSchema: {
      type: 'object' as const,
      properties: {
        remember: {
          type: 'boolean' as const,
          title: 'Do not ask again',
          description: `Allow "${tool}" without asking until this server ends.`,
          default: false,
        },
      },
    },
  };
}
