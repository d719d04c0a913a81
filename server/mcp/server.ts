/** @file The server of agents for one connection: its tools, its resources, and how a call of a tool comes to its answer. */
import {
  McpServer,
  type CallToolResult,
  type InputRequiredResult,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { printableJson } from '../protocol/printable.ts';
import { explainSystemError } from '../protocol/systemError.ts';
import { messageOf, stackOf } from '../protocol/thrown.ts';
import { inOneLine, UserError } from '../protocol/userError.ts';
import type { AgentServerOptions } from '../protocol/wire/agentServer.ts';
import type { Checker } from './checker.ts';
import type { FollowedRuns } from './followedRuns.ts';
import { registerResources } from './resources.ts';
import { Session } from './session.ts';
import { NeedsInput, type AgentTool, type Call, type Scripts } from './tool.ts';
import { tools } from './tools/index.ts';

/** Array elements and object members of a call's arguments. */
const MOST_ARGUMENTS = 20_000;

const INSTRUCTIONS = `DeepTwist makes neural networks smaller while they train: pruning, quantization, low rank.
Way to go: list_workspace (models, data, experiments) -> describe_model (layers, which methods fit) -> write_experiment (from a
proposal or a text; it is checked first) -> start_run (in the background) -> follow_run until it is finished -> compare_runs ->
export_model -> evaluate. Before rates are chosen, measure_sensitivity of a trained run tells what each layer bears; start_sweep
tries many settings or seeds. Choices are made on the validation split, never on the test split.
An experiment is a file NAME.deeptwist.jsonc (JSON with comments). The resources deeptwist://docs/* explain every setting. Rates, metrics and
drops are fractions: 0.95 is 95%.
Answers are short; "more" says how many rows follow, to be had by "offset" and "limit".`;

export interface AgentServerParts {
  readonly options: AgentServerOptions;
  readonly version: string;
  readonly scripts: Scripts;
  /** Folder with the pages of the documentation. */
  readonly docs: string;
  readonly checker: Checker;
  readonly followed: FollowedRuns;
  /** For standard error: standard output is the protocol's. */
  readonly log: (line: string) => void;
  /** Told of each call that is under way, until it ends. */
  readonly underWay: Set<Promise<unknown>>;
}

/** A server that is ready to be connected. */
export function agentServer(parts: AgentServerParts): McpServer {
  const { options, version, docs } = parts;
  const server = new McpServer(
    { name: 'deeptwist', title: 'DeepTwist', version },
    { instructions: INSTRUCTIONS, maxToolInputElements: MOST_ARGUMENTS },
  );
  const session = new Session(server, options);
  for (const tool of tools)
    if (!options.readOnly || tool.effect === 'reads') registerTool(server, session, tool, parts);
  registerResources(server, session, docs);
  return server;
}

function registerTool(server: McpServer, session: Session, tool: AgentTool, parts: AgentServerParts): void {
  const { name, title, description, effect, isDestructive = false, input, output } = tool;
  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: input,
      outputSchema: output,
      annotations: {
        title,
        readOnlyHint: effect === 'reads',
        destructiveHint: isDestructive,
        idempotentHint: effect === 'reads',
        // What it works with is in the workspace; modules of the user may do anything.
        openWorldHint: effect === 'runs code',
      },
    },
    (given, context) => {
      const answer = answerOf(session, tool, given, context, parts);
      parts.underWay.add(answer);
      void answer.finally(() => parts.underWay.delete(answer));
      return answer;
    },
  );
}

async function answerOf(
  session: Session,
  tool: AgentTool,
  given: Record<string, unknown>,
  context: ServerContext,
  { scripts, checker, followed, log }: AgentServerParts,
): Promise<CallToolResult | InputRequiredResult> {
  try {
    const call: Call = {
      workspace: session.workspace(context),
      signal: context.mcpReq.signal,
      scripts,
      checker,
      followed,
      progress: progressOf(context),
      confirm: (question) => session.confirm(context, tool.name, question, given.confirm === true),
    };
    const result = await tool.run(given, call);
    // As a text, too, for clients that show no structured content; numbers that are not finite become null.
    const text = printableJson(result);
    return { content: [{ type: 'text', text }], structuredContent: JSON.parse(text) as Record<string, unknown> };
  } catch (error) {
    if (error instanceof NeedsInput) return error.result;
    const known = explainSystemError(error);
    if (!(known instanceof UserError)) log(`${tool.name}: ${stackOf(error)}`);
    const text = known instanceof UserError ? inOneLine(known) : `unexpected: ${messageOf(error)}`;
    return { isError: true, content: [{ type: 'text', text }] };
  }
}

/** Tells how far a call is, where the client wants to know. */
function progressOf({ mcpReq }: ServerContext): (message: string) => void {
  const token = mcpReq._meta?.progressToken;
  if (token === undefined) return () => undefined;
  let count = 0;
  let last = '';
  return (message) => {
    if (message === last || mcpReq.signal.aborted) return;
    last = message;
    const params = { progressToken: token, progress: ++count, message };
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}
