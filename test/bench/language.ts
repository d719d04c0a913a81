/**
 * @file How long the language server lets a person wait, as the built server answers over LSP: an experiment file of 1,000
 * lines for a model of 200 layers. A p95 over many keys and places; each limit is what typing bears.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CompletionRequest,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type Position,
  type ProtocolConnection,
  type ServerCapabilities,
} from 'vscode-languageserver/node';
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import { EXPERIMENT_LANGUAGE } from '../../server/protocol/wire/language.ts';
import { modelSourceOf, writeDescription } from '../../server/runs/storedDescriptions.ts';
import { beside, median, type Benchmark, type Limited } from './bench.ts';

const LAYERS = 200;
const STARTS = 15;
const KEYS = 200;
const PLACES = 200;

interface Server {
  readonly connection: ProtocolConnection;
  readonly capabilities: ServerCapabilities;
  /** Milliseconds from the start of the process to its answer. */
  readonly started: number;
  close(): Promise<void>;
}

async function startServer(): Promise<Server> {
  const start = performance.now();
  const child = spawn(process.execPath, [join('dist', 'language.js'), '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.listen();
  const params = { processId: process.pid, rootUri: null, capabilities: {} };
  const { capabilities } = await connection.sendRequest(InitializeRequest.type, params);
  const started = performance.now() - start;
  await connection.sendNotification(InitializedNotification.type, {});
  return {
    connection,
    capabilities,
    started,
    async close() {
      await connection.sendRequest(ShutdownRequest.type);
      await connection.sendNotification(ExitNotification.type);
      await ended;
      connection.dispose();
    },
  };
}

/** An experiment file of 1,000 lines, as long as it is from comments and layers. */
function experimentText(): string {
  const layers = Array.from({ length: LAYERS }, (_, i) => [
    `      // Layer ${i}: how much of it is pruned was found by trying.`,
    `      "layer${i}": {`,
    `        "rate": ${(0.5 + (i % 50) / 100).toFixed(2)}`,
    `      }${i < LAYERS - 1 ? ',' : ''}`,
  ]);
  const head = [
    '{',
    '  "model": "./model.ts",',
    '  "data": { "type": "mnist", "path": "." },',
    '  "training": {',
    '    "optimizer": { "type": "adam", "learningRate": 0.001 },',
    '    "batchSize": 50,',
    '    "steps": 20000',
    '  },',
    '  "compression": {',
    '    "method": "prune",',
    '    "distortEvery": 10,',
    '    "schedule": { "initialRate": 0.25, "from": 8000, "to": 13000 },',
    '    "layers": {',
  ];
  const tail = ['    }', '  }', '}'];
  const notes = Array.from({ length: 1000 - head.length - 4 * LAYERS - tail.length }, (_, i) => `// Note ${i}.`);
  return [...notes, ...head, ...layers.flat(), ...tail].join('\n');
}

async function writeModel(folder: string, experiment: string, text: string): Promise<void> {
  const calls = Array.from({ length: LAYERS }, (_, i) => `    tf.layers.dense({ name: 'layer${i}', units: 64 }),`);
  const module = `export const createModel = () =>\n  tf.sequential({ layers: [\n${calls.join('\n')}\n  ] });\n`;
  const path = join(folder, 'model.ts');
  writeFileSync(path, module);
  const weights = Array.from({ length: LAYERS }, (_, i) => {
    const common = { layer: `layer${i}`, layerClass: 'Dense', trainable: true };
    return [
      { ...common, name: `layer${i}/kernel`, weight: 'kernel', shape: [64, 64] },
      { ...common, name: `layer${i}/bias`, weight: 'bias', shape: [64] },
    ];
  });
  const sha256 = createHash('sha256').update(module).digest('hex');
  const files = [{ path, sha256 }];
  const source = modelSourceOf(new JsonText(text).value())!;
  await writeDescription(experiment, source, { version: 1, model: './model.ts', files, weights: weights.flat() });
}

/** Types into the file, a key at a time; each is followed by the diagnostics of its version. */
async function measureDiagnostics({ connection }: Server, uri: string, text: string): Promise<number[]> {
  let answered: (version: number | undefined) => void = () => undefined;
  connection.onNotification(PublishDiagnosticsNotification.type, ({ version }) => answered(version));
  const answerTo = (version: number) =>
    new Promise<void>((resolve) => {
      answered = (published) => published === version && resolve();
    });
  const opened = answerTo(0);
  const textDocument = { uri, languageId: EXPERIMENT_LANGUAGE, version: 0, text };
  await connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  await opened;
  const lines = text.split('\n');
  const times: number[] = [];
  for (let version = 1; version <= KEYS; version++) {
    // A digit before the rate of one layer after another makes it wrong, and its removal right again.
    const layer = (Math.floor(version / 2) * 37) % LAYERS;
    const line = lines.findIndex((content) => content.includes(`"layer${layer}"`)) + 1;
    const character = lines[line].indexOf('0.');
    const isTyped = version % 2 === 0;
    const start = { line, character };
    const change = isTyped
      ? { range: { start, end: start }, text: '9' }
      : { range: { start, end: { line, character: character + 1 } }, text: version === 1 ? '0' : '' };
    const answer = answerTo(version);
    const pressed = performance.now();
    await connection.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version },
      contentChanges: [change],
    });
    await answer;
    times.push(performance.now() - pressed);
  }
  return times;
}

/** Milliseconds that `ask` takes at places all over the file. */
async function measureAt(text: string, ask: (position: Position) => Promise<unknown>): Promise<number[]> {
  const lines = text.split('\n');
  const times: number[] = [];
  for (let place = 0; place < PLACES; place++) {
    const line = (place * 97) % lines.length;
    const start = performance.now();
    await ask({ line, character: Math.floor(lines[line].length / 2) });
    times.push(performance.now() - start);
  }
  return times;
}

function percentile95(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1];
}

function report(limit: number, name: string, times: readonly number[]): Limited {
  const [p95, most] = [percentile95(times), Math.max(...times)].map((time) => time.toFixed(1));
  console.log(`  ${name}: median ${median(times).toFixed(1)}, p95 ${p95}, most ${most} ms of ${times.length}`);
  return beside(limit, `${name}, p95`, percentile95(times), 'ms');
}

async function measure(folder: string): Promise<Limited[]> {
  const text = experimentText();
  const file = join(folder, 'large.deeptwist.jsonc');
  await writeModel(folder, file, text);
  const starts: number[] = [];
  for (let start = 0; start <= STARTS; start++) {
    const server = await startServer();
    if (start > 0) starts.push(server.started);
    await server.close();
  }
  const results = [report(300, 'start of the server', starts)];
  const server = await startServer();
  try {
    const { connection, capabilities } = server;
    const uri = pathToFileURL(file).href;
    results.push(report(50, 'diagnostics after a key', await measureDiagnostics(server, uri, text)));
    const at = (position: Position) => ({ textDocument: { uri }, position });
    if (capabilities.completionProvider)
      results.push(
        report(
          20,
          'completion',
          await measureAt(text, (position) => connection.sendRequest(CompletionRequest.type, at(position))),
        ),
      );
    if (capabilities.hoverProvider)
      results.push(
        report(
          20,
          'hover',
          await measureAt(text, (position) => connection.sendRequest(HoverRequest.type, at(position))),
        ),
      );
  } finally {
    await server.close();
  }
  return results;
}

export default {
  options: {},
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'deeptwist-language-'));
    try {
      return await measure(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
} satisfies Benchmark;
