/** @file `deeptwist mcp`. */
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ExitCode } from '../../protocol/userError.ts';
import { confirmModes, type AgentServerModule } from '../../protocol/wire/agentServer.ts';
import { choiceOf } from '../choiceOf.ts';
import type { Command } from '../command.ts';

export const mcpCommand: Command = {
  name: 'mcp',
  positionals: { usage: '[DIR…]', minimum: 0, maximum: Infinity },
  summary:
    'Serve agents over standard input and output (Model Context Protocol), in the folders that are named, or those of the client, or this one.',
  options: {
    confirm: {
      type: 'string',
      value: confirmModes.join('|'),
      description:
        'Confirmation before anything trains or loads your modules: this server asks you (default), or the host does, by its own rules.',
    },
    'read-only': { type: 'boolean', description: 'Offer no tool that writes, trains or loads your modules.' },
  },
  async run({ positionals, options }, { directory, sidecarScript }) {
    const confirm = choiceOf('mcp', 'confirm', confirmModes, options.confirm) ?? 'ask';
    // Beside the other entry points, which never import one another.
    const script = pathToFileURL(join(dirname(sidecarScript), 'mcp.js'));
    const { serveAgents } = (await import(script.href)) as AgentServerModule;
    const folders = positionals.map((folder) => resolve(directory, folder));
    await serveAgents({ folders, directory, confirm, readOnly: options['read-only'] === true });
    return ExitCode.done;
  },
};
