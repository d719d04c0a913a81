import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelDescriptionSchema } from '../../../server/protocol/model/modelDescription.ts';
import { modelSourceOf, modelsFolder, StoredDescriptions } from '../../../server/runs/storedDescriptions.ts';
import { describeExperiment, describeModelFile, runExperiment } from '../../../server/training/index.ts';
import { JsonText } from '../../../server/protocol/experiment/jsonText.ts';
import { readFileSync } from 'node:fs';
import { writePointsExperiment, writePointsProblem } from '../../fixtures/points.ts';
import { integers, node, seededFloats, writeGraph, type GraphFile } from '../models/onnx/onnxFiles.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const { randomFloats } = seededFloats();

/** A folder with an experiment on points of the plane, and how its description is read by who must not load the model. */
async function problem() {
  const folder = await temporaryFolder();
  writePointsProblem(folder);
  const file = writePointsExperiment(folder, 'points', { steps: 20 });
  const stored = new StoredDescriptions();
  const read = () => stored.read(file, modelSourceOf(new JsonText(readFileSync(file, 'utf8')).value())!);
  return { folder, file, read, model: join(folder, 'model.ts') };
}

describe('describeExperiment', () => {
  it('keeps names and shapes where a reader of the file alone finds them', async () => {
    const { file, read } = await problem();
    expect(await read()).toBeUndefined();
    const { description, path, withoutData } = await describeExperiment(file);
    expect(withoutData).toBeUndefined();
    expect(path?.startsWith(modelsFolder(file))).toBe(true);
    expect(description.weights.map(({ name, shape }) => [name, shape])).toEqual([
      ['hidden/kernel', [2, 16]],
      ['hidden/bias', [16]],
      ['out/kernel', [16, 2]],
      ['out/bias', [2]],
    ]);
    expect(description).toMatchObject({
      samples: 400,
      weights: [{ layerClass: 'Dense', trainable: true }, {}, {}, {}],
    });
    expect(modelDescriptionSchema.parse(description)).toEqual(description);
    expect(await read()).toEqual(description);
  });

  it('holds until a file of the model changes, and again when it is what it was', async () => {
    const { file, read, model } = await problem();
    await describeExperiment(file);
    const text = readFileSync(model, 'utf8');
    await writeFile(model, `${text}// changed\n`);
    expect(await read()).toBeUndefined();
    await writeFile(model, text);
    expect(await read()).toBeDefined();
    await rm(model);
    expect(await read()).toBeUndefined();
  });

  it('describes a model whose data are not there yet, and says so', async () => {
    const { folder, file, read } = await problem();
    await rm(join(folder, 'train-x.npy'));
    const { description, withoutData } = await describeExperiment(file);
    expect(withoutData?.message).toContain('train-x.npy does not exist');
    expect(description.samples).toBeUndefined();
    expect((await read())?.weights).toHaveLength(4);
  });

  it('describes built-in models, which have no files', async () => {
    const { file, read } = await problem();
    const text = readFileSync(file, 'utf8');
    await writeFile(file, text.replace('./model.ts', 'builtin:lenet-5'));
    const { description } = await describeExperiment(file);
    expect(description.files).toEqual([]);
    expect(description.weights.map(({ name }) => name)).toContain('conv2/kernel');
    expect(await read()).toEqual(description);
  });

  it('describes the model of a file that is wrong elsewhere, and refuses one whose model is', async () => {
    const { file, read } = await problem();
    const text = readFileSync(file, 'utf8');
    await writeFile(file, text.replace('"batchSize": 20', '"batchsize": "20",').replace('"rate"', '"rat'));
    await describeExperiment(file);
    expect((await read())?.weights).toHaveLength(4);
    await writeFile(file, text.replace('"./model.ts"', '17'));
    await expect(describeExperiment(file)).rejects.toThrow('model: expected a non-empty string or an object, got 17');
  });

  it('tells of a model that fails, and keeps nothing', async () => {
    const { folder } = await problem();
    const file = writePointsExperiment(folder, 'throws', { model: 'throws.ts' });
    await expect(describeExperiment(file)).rejects.toThrow('no such layer');
    await expect(readdir(modelsFolder(file))).rejects.toThrow('ENOENT');
  });
});

describe('describeModelFile', () => {
  const written = async (file: GraphFile) => {
    const folder = await temporaryFolder();
    return writeGraph(folder, 'net.onnx', file);
  };
  const layer = (input: readonly (number | string)[], last: string): GraphFile => ({
    input,
    nodes: [node('MatMul', ['x', 'fc1.weight'], 'h'), node(last, ['h'], 'a'), node('Reshape', ['a', 'shape'], 'y')],
    tensors: { 'fc1.weight': randomFloats([4, 3]), shape: integers([-1, 3]) },
  });

  it('tells inputs, outputs and their activations of a model without an experiment', async () => {
    const description = await describeModelFile(await written(layer(['batch', 4], 'Softmax')));
    expect(description).toMatchObject({
      inputs: [{ name: 'x', shape: [null, 4], dtype: 'float32' }],
      outputs: [{ name: 'y', shape: [null, 3], activation: 'softmax' }],
      hasLoss: false,
      weights: [{ name: 'fc1.weight' }],
    });
    expect(description.assumedSizes).toBeUndefined();
    expect(modelDescriptionSchema.parse(description)).toEqual(description);
    const { outputs } = await describeModelFile(await written(layer(['batch', 4], 'Sigmoid')));
    expect(outputs).toMatchObject([{ activation: 'sigmoid' }]);
    expect((await describeModelFile(await written(layer(['batch', 4], 'Relu')))).outputs).toMatchObject([
      { activation: 'other' },
    ]);
  });

  it('assumes a size for a dimension with a name, and says so', async () => {
    const file = await written({
      input: ['batch', 'sequence', 4],
      nodes: [node('MatMul', ['x', 'fc1.weight'], 'y')],
      tensors: { 'fc1.weight': randomFloats([4, 3]) },
    });
    const { inputs, assumedSizes, model } = await describeModelFile(file);
    expect(assumedSizes).toEqual({ sequence: 128 });
    expect(inputs).toMatchObject([{ shape: [null, 128, 4] }]);
    expect(JSON.parse(model)).toMatchObject({ inputs: { sequence: 128 } });
  });

  it('names all operators that are missing, with their nodes', async () => {
    const file = await written({ nodes: [node('Hardmax', ['x'], 'h'), node('NonMaxSuppression', ['h'], 'y')] });
    await expect(describeModelFile(file)).rejects.toThrow(
      'operators are not known here: Hardmax (/h/Hardmax), NonMaxSuppression (/y/NonMaxSuppression)',
    );
  });

  it("describes a user's module, and says that it brings a loss", async () => {
    const { model } = await problem();
    expect(await describeModelFile(model)).toMatchObject({
      hasLoss: false,
      inputs: [{ shape: [null, 2] }],
      outputs: [{ name: 'out', shape: [null, 2], activation: 'softmax' }],
    });
    await writeFile(model, `${readFileSync(model, 'utf8')}export const loss = (t, y) => tf.mean(y);\n`);
    expect(await describeModelFile(model)).toMatchObject({ hasLoss: true });
  });
});

it('every training describes its model', async () => {
  const { file, read } = await problem();
  await runExperiment({ file, overrides: [], onEvent: () => undefined, signal: new AbortController().signal });
  expect((await read())?.weights).toHaveLength(4);
});
