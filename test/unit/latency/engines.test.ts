import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DenseWeight } from '../../../server/formats/packed/dense.ts';
import { encodePacked } from '../../../server/formats/packed/packedFile.ts';
import { encodeOnnxModel, type OnnxGraph } from '../../../server/formats/onnx.ts';
import { acceptedWords, closedShape } from '../../../server/latency/engine.ts';
import { openOnnx } from '../../../server/latency/onnxEngine.ts';
import { openPacked } from '../../../server/latency/packedEngine.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const ROWS = 100;

async function fileWith(name: string, content: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

/** Looks rows up, for words of a type. */
const lookup = (type: 'int32' | 'int64', words: (number | string)[]): OnnxGraph => ({
  inputs: [{ name: 'words', type, shape: words }],
  outputs: [{ name: 'rows', type: 'float32', shape: [...words, 4] }],
  initializers: [{ name: 'table', type: 'float32', shape: [ROWS, 4], data: new Float32Array(4 * ROWS) }],
  nodes: [{ op: 'Gather', inputs: ['table', 'words'], outputs: ['rows'] }],
});

test('sizes that a file leaves open are those of the samples, of images with channels last in the order of the file', () => {
  expect(closedShape([null, 6], [4, 6])).toEqual([4, 6]);
  expect(closedShape([null, null, 3], [4, 5, 3])).toEqual([4, 5, 3]);
  expect(closedShape([3, null, null], [4, 5, 3])).toEqual([3, 4, 5]);
});

describe('an ONNX file', () => {
  test.each(['int32', 'int64'] as const)('is given words that its embedding has, as %s', async (type) => {
    const path = await fileWith('lookup.onnx', encodeOnnxModel(lookup(type, ['batch', 'time'])));
    const engine = await openOnnx(path, 1, undefined);
    expect(engine).toMatchObject({ hasWords: true, sample: [[32]] });
    expect(engine.batchSize).toBeUndefined();
    const words = await acceptedWords(engine);
    expect(words).toBe(64); // The largest power of two with 100 rows.
    expect(engine.prepare(3, words)()).toBeInstanceOf(Promise);
  });

  test('that leaves the time open is given sequences as long as those that are known', async () => {
    const path = await fileWith('lookup.onnx', encodeOnnxModel(lookup('int32', ['batch', 'time'])));
    expect((await openOnnx(path, 1, [[7]])).sample).toEqual([[7]]);
  });

  test('that fixes the batch says so', async () => {
    const path = await fileWith('lookup.onnx', encodeOnnxModel(lookup('int32', [10, 5])));
    expect(await openOnnx(path, 1, undefined)).toMatchObject({ batchSize: 10, sample: [[5]] });
  });

  test.each([
    ['float64', false],
    ['uint8', true],
    ['bool', false],
  ] as const)('is given numbers of the type %s', async (type, hasWords) => {
    const graph: OnnxGraph = {
      inputs: [{ name: 'given', type, shape: ['batch', 4] }],
      outputs: [{ name: 'same', type, shape: ['batch', 4] }],
      initializers: [],
      nodes: [{ op: 'Identity', inputs: ['given'], outputs: ['same'] }],
    };
    const engine = await openOnnx(await fileWith('same.onnx', encodeOnnxModel(graph)), 1, undefined);
    expect(engine).toMatchObject({ hasWords, sample: [[4]] });
    const run = engine.prepare(3, await acceptedWords(engine));
    expect(await run()).toMatchObject({ same: { type, dims: [3, 4] } });
  });

  test('with an input of another type is refused by its name', async () => {
    const graph: OnnxGraph = {
      inputs: [{ name: 'parts', type: 'float32', shape: [1], isSequence: true }],
      outputs: [{ name: 'count', type: 'int64', shape: [] }],
      initializers: [],
      nodes: [{ op: 'SequenceLength', inputs: ['parts'], outputs: ['count'] }],
    };
    const path = await fileWith('parts.onnx', encodeOnnxModel(graph));
    await expect(openOnnx(path, 1, undefined)).rejects.toThrow("its input 'parts' is of the type sequence or map");
  });

  test('that fails whatever it is given says why', async () => {
    const graph = lookup('int32', ['batch']);
    const path = await fileWith(
      'shape.onnx',
      encodeOnnxModel({
        ...graph,
        initializers: [...graph.initializers, { name: 'shape', type: 'int64', shape: [1], data: BigInt64Array.of(3n) }],
        nodes: [
          { op: 'Gather', inputs: ['table', 'words'], outputs: ['found'] },
          { op: 'Reshape', inputs: ['found', 'shape'], outputs: ['rows'] },
        ],
        outputs: [{ name: 'rows', type: 'float32', shape: [3] }],
      }),
    );
    await expect(openOnnx(path, 1, undefined).then(acceptedWords)).rejects.toThrow(/Non-zero status code/);
  });
});

describe('a packed file', () => {
  const packed = (layers: object[], weights: Record<string, number[]>) =>
    encodePacked(
      new Map(
        Object.entries(weights).map(([name, shape]) => [
          name,
          new DenseWeight(shape, new Float32Array(shape.reduce((a, b) => a * b, 1))),
        ]),
      ),
      {
        model: JSON.stringify({ class_name: 'Sequential', config: { name: 'm', layers } }),
        run: 'r',
        experiment: '{}',
      },
    );

  test('is given words that its embedding has', async () => {
    const embedding = { name: 'words', input_dim: ROWS, output_dim: 4, batch_input_shape: [null, null] };
    const path = await fileWith(
      'words.safetensors',
      packed([{ class_name: 'Embedding', config: embedding }], { 'words/embeddings': [ROWS, 4] }),
    );
    const engine = await openPacked(path, [[5]]);
    expect(engine).toMatchObject({ sample: [[5]], weightBytes: expect.any(Number) as number });
    expect(await acceptedWords(engine)).toBe(64);
    // A sequence of open length is one sample: a batch goes through one by one.
    expect(() => engine.prepare(3, 64)()).not.toThrow();
  });

  test('of other inputs is given fractions', async () => {
    const dense = { name: 'fc', units: 3, batch_input_shape: [null, 8] };
    const path = await fileWith(
      'dense.safetensors',
      packed([{ class_name: 'Dense', config: dense }], { 'fc/kernel': [8, 3], 'fc/bias': [3] }),
    );
    const engine = await openPacked(path, undefined);
    expect(await acceptedWords(engine)).toBeUndefined();
    expect(engine.prepare(4, undefined)()).toMatchObject([{ length: 12 }]);
  });
});
