/**
 * @file An agent that takes a model to a smaller file by tools alone: an ONNX file that somebody else trained, in a folder with arrays. What it
 * asked and was answered is docs/agents-transcript.md; numbers that another machine would not have are left out of the comparison.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { expect, test } from 'vitest';
import { root } from '../../../scripts/root.js';
import { Random } from '../../../server/formats/random.ts';
import { npy } from '../../fixtures/npy.ts';
import { graphFile, node } from '../models/onnx/onnxFiles.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { useAgentSessions } from './agentSession.ts';

const sessions = useAgentSessions();
const FEATURES = 16;
const HIDDEN = 64;
const CLASSES = 4;

/** Samples around a center for each class, with noise. */
function blobs(samples: number, random: Random) {
  const inputs = new Float32Array(samples * FEATURES);
  const labels = new Uint8Array(samples);
  for (let i = 0; i < samples; i++) {
    labels[i] = i % CLASSES;
    for (let j = 0; j < FEATURES; j++)
      inputs[i * FEATURES + j] = (j % CLASSES === labels[i] ? 1 : 0) + 0.5 * (random.uniform() + random.uniform() - 1);
  }
  return { inputs: npy(inputs, [samples, FEATURES]), labels: npy(labels, [samples]) };
}

/** A network of two layers as another program writes it: logits of four classes. */
function writeProject(folder: string): void {
  const random = new Random(3);
  const matrix = (rows: number, columns: number) => ({
    type: 'float32' as const,
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => (2 * random.uniform() - 1) * Math.sqrt(3 / rows)),
  });
  const bias = (size: number) => ({ type: 'float32' as const, shape: [size], data: new Float32Array(size) });
  const model = graphFile({
    nodes: [
      node('Gemm', ['x', 'hidden.weight', 'hidden.bias'], 'h'),
      node('Relu', ['h'], 'r'),
      node('Gemm', ['r', 'out.weight', 'out.bias'], 'y'),
    ],
    tensors: {
      'hidden.weight': matrix(FEATURES, HIDDEN),
      'hidden.bias': bias(HIDDEN),
      'out.weight': matrix(HIDDEN, CLASSES),
      'out.bias': bias(CLASSES),
    },
    input: ['batch', FEATURES],
  });
  writeFileSync(join(folder, 'net.onnx'), model);
  for (const [split, samples] of [
    ['train', 400],
    ['validation', 100],
    ['test', 100],
  ] as const) {
    // prettier-ignore
    const { inputs, labels } = blobs(samples, random);
    writeFileSync(join(folder, `x_${split}.npy`), inputs);
    writeFileSync(join(folder, `y_${split}.npy`), labels);
  }
}

/** Characters of an answer that is cut which are compared: where it is cut depends on the digits of its numbers. */
const COMPARED = 200;

/** What differs from machine to machine, or from day to day, as one sign. */
function comparable(text: string): string {
  return text
    .replaceAll(/\d{8}-\d{6}-[\w.-]*?net[\w.-]*?(?=["\s/.]|$)/g, 'RUN')
    .replaceAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/gi, '#')
    .replaceAll(/"secondsLeft":#,?|(?<="happenings":)\[[^\]]*\]|"next":#|"passedOver":#/g, '')
    .replaceAll(/"state":"(queued|running)"/g, '"state":"started"')
    .replaceAll(/^.* …$/gm, (line) => line.slice(0, COMPARED));
}

test('an agent takes an ONNX file to a smaller one by tools alone', async () => {
  const folder = await temporaryFolder();
  writeProject(folder);
  const session = await sessions.open({ directory: folder, answer: () => 'accept' });
  const lines = ['# A session of an agent', '', 'What an agent asked and was answered, from a model that another program wrote to a smaller file that was measured. Written by `test/unit/mcp/transcript.test.ts`, which runs it again; answers are shortened to 700 characters. The user confirmed each question.', '']; // prettier-ignore
  const ask = async (name: string, args: Record<string, unknown> = {}) => {
    const questions = session.asked.length;
    const answer = await session.ask(name, args);
    const text = JSON.stringify(answer).replaceAll(folder, '/home/me/project');
    lines.push(
      `**${name}** \`${JSON.stringify(args)}\``,
      '',
      ...session.asked.slice(questions).flatMap((question) => [`> ${question}`, '']),
      '```text',
      text.length <= 700 ? text : `${text.slice(0, 700)} …`,
      '```',
      '',
    );
    return answer;
  };

  const { models, data } = await ask('list_workspace');
  expect(models).toContainEqual({ model: 'net.onnx' });
  const [{ path }] = data as { path: string }[];
  await ask('describe_model', { file: 'net.onnx' });
  const file = 'net-prune.deeptwist.jsonc';
  const proposal = { model: 'net.onnx', data: path, method: 'prune', steps: 600 };
  expect(await ask('write_experiment', { file, proposal })).toMatchObject({ written: true, problems: [] });
  const { run } = await ask('start_run', { experiment: file });
  const { next: since } = await session.untilEnded(String(run));
  const end = await ask('follow_run', { run, since });
  expect(end).toMatchObject({ state: 'finished' });
  await ask('measure_sensitivity', { of: run, methods: ['prune'], maxDrop: 0.02, limit: 6 });
  const exported = await ask('export_model', { run, out: 'small.onnx' });
  expect(exported).toMatchObject({ path: 'small.onnx', format: 'onnx' });
  const evaluated = await ask('evaluate', { of: 'small.onnx' });
  // The file is as good as the run said, and smaller.
  expect(evaluated.value).toBe((end.result as { test: number }).test);
  expect(evaluated.value).toBeGreaterThan(0.9);
  expect(statSync(join(folder, 'small.onnx')).size).toBe(exported.bytes);
  expect(exported.bytes).toBeLessThan(statSync(join(folder, 'net.onnx')).size);
  expect(existsSync(join(folder, 'net-prune.deeptwist.jsonc'))).toBe(true);
  // Training, and a file whose experiment is not known before; an ONNX model runs no code.
  expect(session.asked).toHaveLength(2);

  const document = join(root, 'docs', 'agents-transcript.md');
  const text = await format(lines.join('\n'), { parser: 'markdown', printWidth: 120 });
  const known = existsSync(document) ? readFileSync(document, 'utf8') : '';
  // Written anew where another call or another answer is seen, not where a number is another.
  if (comparable(known) !== comparable(text)) await expect(text).toMatchFileSnapshot(document);
});
