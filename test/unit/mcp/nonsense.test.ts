/** @file Clients that send nonsense, hang or go away: the server says what is wrong and goes on, or ends; runs go on without it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';
import { listRuns } from '../../../server/runs/findRun.ts';
import { identify, isAlive } from '../../../server/runs/liveProcess.ts';
import { until } from '../../until.ts';
import { workspace } from '../training/workspace.ts';
import { useAgentSessions } from './agentSession.ts';

const sessions = useAgentSessions();
const file = 'blobs.deeptwist.jsonc';
const children = new Set<ChildProcessWithoutNullStreams>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A server at the end of bare pipes. */
function bareServer(directory: string, args: readonly string[] = ['--confirm', 'host']) {
  const child = spawn(process.execPath, [join(sessions.installation(), 'bin', 'deeptwist.js'), 'mcp', ...args], { cwd: directory }); // prettier-ignore
  children.add(child);
  child.stdin.on('error', () => undefined); // It has ended.
  const exited = once(child, 'exit').then(([code, signal]) => ({ code: code as number | null, signal: signal as string | null })); // prettier-ignore
  const answers: Answer[] = [];
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const listen = () => createInterface({ input: child.stdout }).on('line', (line) => answers.push(JSON.parse(line) as Answer)); // prettier-ignore
  let count = 0;
  return {
    child,
    exited,
    answers,
    listen,
    errors: () => errors,
    send: (text: string) => void child.stdin.write(text),
    /** Sends a request and waits for its answer. */
    async ask(method: string, params: unknown): Promise<Answer> {
      const id = ++count;
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      return until(() => answers.find((answer) => answer.id === id && answer.method === undefined), `an answer to ${method}`); // prettier-ignore
    },
    begin() {
      const clientInfo = { name: 'nonsense', version: '1' };
      return this.ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
    },
  };
}

const call = (name: string, args: unknown) => ['tools/call', { name, arguments: args }] as const;

describe('a server', () => {
  test('goes on behind lines that are no messages', async () => {
    const { folder } = await workspace();
    const server = bareServer(folder);
    server.listen();
    for (const line of ['no JSON', '{"jsonrpc":"2.0"', '42', 'null', '[]', '{}', '{"jsonrpc":"1.0","id":7,"method":"x"}', '\u0000\ufffd', ''])
      server.send(`${line}\n`); // prettier-ignore
    expect((await server.begin()).result).toMatchObject({ serverInfo: { name: 'deeptwist' } });
    server.send('{"jsonrpc":"2.0","id":{},"method":[]}\n');
    expect((await server.ask('no/such/method', {})).error?.code).toBe(-32601);
    expect((await server.ask(...call('list_runs', {}))).result).toMatchObject({ structuredContent: { runs: [] } });
    server.child.stdin.end();
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('refuses requests that are wrong, each with a reason, and goes on', async () => {
    const wrong: readonly (readonly [string, readonly [string, unknown]])[] = [
      ['no such tool', call('no_such_tool', {})],
      ['a name that is a number', ['tools/call', { name: 7 }]],
      ['arguments that are a number', call('list_runs', 5)],
      ['a setting that there is not', call('list_runs', { limt: 3 })],
      ['a limit beyond all', call('list_runs', { limit: 1e9 })],
      ['a limit that is a text', call('list_runs', { limit: '3' })],
      ['a run that is an object', call('follow_run', { run: { id: 1 } })],
      ['a path with a zero byte', call('check_experiment', { file: 'a\u0000b' })],
      ['a path of 10,000 characters', call('check_experiment', { file: 'a'.repeat(10_000) })],
      ['an experiment that is a folder', call('start_run', { experiment: '.' })],
      ['an experiment that is no JSON', call('start_run', { experiment: 'model.ts' })],
      ['both a text and a proposal', call('write_experiment', { file: 'a.deeptwist.jsonc', text: '', proposal: { model: 'a', data: 'b', method: 'prune' } })], // prettier-ignore
      ['an array of 30,000 runs', call('compare_runs', { runs: Array.from({ length: 30_000 }, () => 'x') })],
      ['a resource that there is not', ['resources/read', { uri: 'deeptwist://runs/none' }]],
      ['a resource by a way out', ['resources/read', { uri: 'deeptwist://docs/..%2f..%2fpackage' }]],
    ];
    const { folder } = await workspace();
    const server = bareServer(folder);
    server.listen();
    await server.begin();
    for (const [what, request] of wrong) {
      const { error, result } = await server.ask(...request);
      expect(error ?? (result?.isError === true && result.content), what).toBeTruthy();
      // No stack trace, no fault of ours.
      expect(JSON.stringify(error ?? result), what).not.toMatch(/\bat \S+ \(|unexpected:/);
    }
    expect((await server.ask(...call('list_runs', {}))).result).toMatchObject({ structuredContent: { runs: [] } });
    expect(await listRuns(folder)).toEqual({ runs: [], unreadable: [] });
  });

  test('ends at a message that is too long, and says so', async () => {
    const { folder } = await workspace();
    const server = bareServer(folder);
    server.listen();
    await server.begin();
    server.send(`{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"${'x'.repeat(8 * 1024 * 1024)}`);
    expect((await server.exited).signal).toBeNull();
    expect(server.errors()).toMatch(/deeptwist mcp: .*(size|buffer|large)/i);
  });

  test('takes a text of many lines that comes in pieces', async () => {
    const { folder } = await workspace();
    const server = bareServer(folder);
    server.listen();
    await server.begin();
    const text = readFileSync(join(folder, file), 'utf8') + ' \n'.repeat(100_000);
    const message = `${JSON.stringify({ jsonrpc: '2.0', id: 77, method: 'tools/call', params: { name: 'check_experiment', arguments: { file, text } } })}\n`; // prettier-ignore
    for (let start = 0; start < message.length; start += 9973) server.send(message.slice(start, start + 9973));
    const answer = await until(() => server.answers.find(({ id }) => id === 77));
    expect(answer.result).toMatchObject({ structuredContent: { canRun: true } });
  });
});

describe('a client that goes away', () => {
  test('leaves a run that trains on to its end, and no server', async () => {
    const { folder } = await workspace();
    const server = bareServer(folder);
    server.listen();
    await server.begin();
    const { result } = await server.ask(...call('start_run', { experiment: file }));
    expect(result?.structuredContent).toMatchObject({ run: expect.any(String) as string });
    server.child.stdin.end();
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await until(async () => (await listRuns(folder)).runs[0].record.state === 'finished', 'the run to finish');
  });

  test('in the middle of a call ends what the call has started', async () => {
    const { folder, write } = await workspace();
    const pidFile = join(folder, 'pid');
    await write('endless.ts', `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); for (;;);`); // prettier-ignore
    const server = bareServer(folder);
    server.listen();
    await server.begin();
    server.send(`${JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'describe_model', arguments: { file: 'endless.ts' } } })}\n`); // prettier-ignore
    const pid = await until(() => Number(readFileSync(pidFile, 'utf8')) || undefined);
    const identity = identify(pid);
    server.child.stdin.end();
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await until(() => isAlive(identity) === false, 'the process of the call to end');
  });

  test('without reading what it asked for leaves no server when it is killed', async () => {
    const { folder } = await workspace();
    const server = bareServer(folder); // Nobody reads.
    const clientInfo = { name: 'deaf', version: '1' };
    server.send(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: { elicitation: {} }, clientInfo } })}\n`); // prettier-ignore
    for (let id = 2; id < 200; id++) server.send(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list' })}\n`);
    await until(() => server.child.stdout.readableLength > 0);
    server.child.stdout.destroy();
    server.child.stdin.destroy();
    await server.exited;
  });

  test('that never answers a question keeps nothing from being asked meanwhile, and nothing is done', async () => {
    const { folder } = await workspace();
    const server = bareServer(folder, []);
    server.listen();
    const clientInfo = { name: 'silent', version: '1' };
    await server.ask('initialize', { protocolVersion: '2025-06-18', capabilities: { elicitation: {} }, clientInfo });
    server.send(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    server.send(`${JSON.stringify({ jsonrpc: '2.0', id: 50, method: 'tools/call', params: { name: 'start_run', arguments: { experiment: file } } })}\n`); // prettier-ignore
    await until(() => server.answers.find(({ method }) => method === 'elicitation/create'), 'the question');
    expect((await server.ask(...call('list_runs', {}))).result).toMatchObject({ structuredContent: { runs: [] } });
    server.child.stdin.end();
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(await listRuns(folder)).toEqual({ runs: [], unreadable: [] });
  });
});
