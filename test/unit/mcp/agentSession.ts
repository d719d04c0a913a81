/** @file A real client of MCP before a real `deeptwist mcp`, with a queue of runs of its own. */
import { join } from 'node:path';
import { Client, type ClientCapabilities } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, expect } from 'vitest';
import { PATIENCE } from '../../../scripts/patience.js';
import { until } from '../../until.ts';
import { useInstallation } from '../installation.ts';
import { useOwnQueue } from '../ownQueue.ts';
import { trainingProcesses } from '../trainingProcesses.ts';

/** The revision of the protocol without a handshake, in which a server asks by its answers. */
const MODERN = '2026-07-28';

type Answer = 'accept' | 'remember' | 'decline' | 'cancel';

export interface SessionOptions {
  readonly directory: string;
  /** Arguments behind `mcp`. */
  readonly args?: readonly string[];
  /** How the user answers a question; absent: the client cannot ask. */
  readonly answer?: (question: string) => Answer | Promise<Answer>;
  /** Folders that the client works in; absent: it has no roots. */
  readonly roots?: readonly string[];
  readonly isModern?: boolean;
}

/** An answer of a tool that is an error. */
class ToolError extends Error {}

export class AgentSession {
  readonly client: Client;
  readonly transport: StdioClientTransport;
  /** Questions that the user was asked. */
  readonly asked: string[] = [];

  constructor(client: Client, transport: StdioClientTransport) {
    this.client = client;
    this.transport = transport;
  }

  /** The structured answer of a tool. @throws ToolError with what it says is wrong */
  async ask(
    name: string,
    args: Record<string, unknown> = {},
    how: { signal?: AbortSignal; onprogress?: (progress: { message?: string | undefined }) => void } = {},
  ): Promise<Record<string, unknown>> {
    const answer = await this.client.callTool({ name, arguments: args }, { timeout: PATIENCE, ...how });
    const [content] = answer.content as { type: string; text?: string }[];
    if (answer.isError === true) throw new ToolError(content.text);
    // The text says the same, for clients that show no structured content.
    expect(JSON.parse(content.text ?? '')).toEqual(answer.structuredContent);
    return answer.structuredContent as Record<string, unknown>;
  }

  /** The error of a call that is refused. */
  async refusal(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.ask(name, args).catch((error: unknown) => error);
    if (answer instanceof ToolError) return answer.message;
    throw new Error(`${name} was not refused: ${JSON.stringify(answer) || String(answer)}`);
  }

  /** Follows a run to its end. @returns the last answer */
  async untilEnded(run: string): Promise<Record<string, unknown>> {
    let since = 0;
    return until(async () => {
      const answer = await this.ask('follow_run', { run, since, wait: 5 });
      since = Number(answer.next);
      return answer.state !== 'running' && answer.state !== 'queued' && answer;
    }, `the end of the run ${run}`);
  }
}

/**
 * To be called in a test file.
 * @returns opens a session, which ends with the test, and tells the folder of the installation
 */
export function useAgentSessions() {
  const installation = useInstallation();
  useOwnQueue();
  const open: AgentSession[] = [];

  afterEach(async () => {
    for (const { client } of open.splice(0)) await client.close();
    try {
      await until(() => trainingProcesses().length === 0, 'the processes of runs to end');
    } finally {
      for (const pid of trainingProcesses()) process.kill(pid, 'SIGKILL');
    }
  });

  return {
    installation,
    async open({ directory, args = [], answer, roots, isModern = false }: SessionOptions): Promise<AgentSession> {
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [join(installation(), 'bin', 'deeptwist.js'), 'mcp', ...args],
        cwd: directory,
        env: Object.fromEntries(Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))), // prettier-ignore
        stderr: 'pipe',
      });
      const capabilities: ClientCapabilities = {
        ...(answer && { elicitation: { form: {} } }),
        ...(roots && { roots: { listChanged: true } }),
      };
      const client = new Client(
        { name: 'test', version: '1.0.0' },
        { capabilities, ...(isModern && { versionNegotiation: { mode: { pin: MODERN } } }) },
      );
      const session = new AgentSession(client, transport);
      if (answer)
        client.setRequestHandler('elicitation/create', async ({ params }) => {
          session.asked.push(params.message);
          const given = await answer(params.message);
          return given === 'accept' || given === 'remember'
            ? { action: 'accept', content: { remember: given === 'remember' } }
            : { action: given };
        });
      if (roots)
        client.setRequestHandler('roots/list', () => ({
          roots: roots.map((folder) => ({ uri: new URL(`file://${folder}`).href })),
        }));
      await client.connect(transport);
      open.push(session);
      return session;
    },
  };
}
