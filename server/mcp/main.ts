/** @file Entry point of the server of agents, which `deeptwist mcp` loads: MCP over standard input and output. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { messageOf } from '../protocol/thrown.ts';
import type { AgentServerModule } from '../protocol/wire/agentServer.ts';
import { Checker } from './checker.ts';
import { FollowedRuns } from './followedRuns.ts';
import { agentServer } from './server.ts';

/** Bytes of a message: many times the longest experiment file. */
const MOST_MESSAGE_BYTES = 4 * 1024 * 1024;

export const serveAgents: AgentServerModule['serveAgents'] = async (options) => {
  const log = (line: string) => void process.stderr.write(`deeptwist mcp: ${line}\n`);
  const checker = new Checker(besideThis('language.js'));
  const followed = new FollowedRuns();
  const underWay = new Set<Promise<unknown>>();
  const wire = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: MOST_MESSAGE_BYTES });
  const scripts = { command: besideThis('../bin/deeptwist.js'), sidecar: besideThis('sidecar.js') };
  const parts = { options, version: version(), scripts, docs: besideThis('docs'), checker, followed, log, underWay };
  const closed = new Promise<void>((resolve) => {
    serveStdio(() => agentServer(parts), { transport: wire, onerror: (error) => log(messageOf(error)) });
    // The protocol listens as well: it is closed first.
    const { onclose } = wire;
    wire.onclose = () => {
      onclose?.();
      resolve();
    };
  });
  await closed;
  // Calls see that they are cancelled; commands stop in order. Runs and sweeps train in processes of their own, and go on.
  await Promise.allSettled(underWay);
  checker.dispose();
};

function besideThis(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** The package's version; its manifest lies beside `dist/`, where the bundle is. */
function version(): string {
  const manifest = JSON.parse(readFileSync(besideThis('../package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
