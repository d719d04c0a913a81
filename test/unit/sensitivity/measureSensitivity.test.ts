import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lowRank } from '../../../server/compression/methods/lowRank/row.ts';
import { pruning } from '../../../server/compression/methods/prune/row.ts';
import { quantization } from '../../../server/compression/methods/quantize/row.ts';
import type { Unit } from '../../../server/compression/methods/unit.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../server/formats/safetensors.ts';
import { compressionSchemas } from '../../../server/protocol/experiment/schema/compression.ts';
import { parseExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import type { Run } from '../../../server/runs/run.ts';
import { evaluateSplit } from '../../../server/training/evaluateSplit.ts';
import { withFinalModel } from '../../../server/training/index.ts';
import { measureSensitivity, type SensitivityOptions } from '../../../server/sensitivity/index.ts';
import type { SensitivityReport } from '../../../server/protocol/run/sensitivityReport.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { npy } from '../../fixtures/npy.ts';
import { experiment, mlp, weightsFile, workspace } from '../training/workspace.ts';

const data = { ...experiment.data, split: { validation: 0.25 } };

/** A finished run of the small model, with a validation split of 30 samples. */
async function trained(changes: Parameters<typeof workspace>[0] = {}) {
  const made = await workspace({ data, ...changes });
  const { run } = await made.run();
  return { ...made, run };
}

function measured(run: Run, options: Partial<SensitivityOptions> = {}): Promise<SensitivityReport> {
  const { signal } = new AbortController();
  return measureSensitivity({
    origin: { run, checkpoint: false },
    split: 'validation',
    signal,
    onProgress: () => undefined,
    ...options,
  });
}

/** Evaluates the final model after a method's own unit has distorted one weight. */
function distortedDirectly(
  run: Run,
  name: string,
  unitOf: (weights: Parameters<typeof pruning.createUnits>[1]) => Unit,
) {
  return withFinalModel({ run }, 'evaluate', async ({ weights, executor, program, dataset }) => {
    const unit = unitOf(weights);
    const weight = weights.find((one) => one.name === name)!;
    await unit.distort([weight.values], { step: 1, learningRate: 0, remember: false });
    return evaluateSplit(executor, program, dataset, dataset.validation!);
  });
}

describe('each cell', () => {
  test.each(['compiled', 'eager'])(
    'is what the model gives whose layer was distorted by the method directly, %s',
    async (executor) => {
      const { run } = await trained({ training: { ...experiment.training, executor } });
      const { cells, metric, samples } = await measured(run);
      expect({ metric, samples }).toEqual({ metric: 'accuracy', samples: 30 });
      expect(new Set(cells.map(({ method }) => method))).toEqual(new Set(['prune', 'quantize', 'low-rank']));
      const once = { policy: 'one-shot', distortEvery: 1 } as const;
      const facts = { steps: 1, seed: 1 };
      for (const { weight, method, parameter, setting, value, loss } of cells) {
        const layers = { [weight]: { [parameter]: setting } };
        const direct = await distortedDirectly(run, weight, (weights) => {
          if (method === 'prune')
            return pruning.createUnits(compressionSchemas.prune.parse({ method, ...once, layers }), weights, facts)[0];
          if (method === 'quantize')
            return quantization.createUnits(
              compressionSchemas.quantize.parse({ method, ...once, layers }),
              weights,
              facts,
            )[0];
          return lowRank.createUnits(
            compressionSchemas['low-rank'].parse({ method, ...once, layers }),
            weights,
            facts,
          )[0];
        });
        expect([value, loss]).toEqual([direct.value, direct.loss]);
      }
    },
  );

  test('costs nothing at rate 0, nor where all weights of the layer are zero', async () => {
    const { run } = await trained();
    const atZero = await measured(run, { methods: ['prune'], values: [0] });
    expect(atZero.cells.map(({ drop, loss }) => [drop, loss])).toEqual(atZero.weights.map(() => [0, atZero.loss]));

    const { tensors } = decodeSafetensors(readFileSync(weightsFile(run)));
    (tensors.get('fc1/kernel')!.data as Float32Array).fill(0);
    await writeFile(weightsFile(run), encodeSafetensors(tensors, { run: run.id }));
    const { cells, loss } = await measured(run, { layers: ['fc1'] });
    expect(cells.length).toBeGreaterThan(10);
    for (const cell of cells) expect([cell.drop, cell.loss]).toEqual([0, loss]);
  });

  test('goes from the weakest setting to the strongest, in fewer and fewer bytes', async () => {
    const { run } = await trained();
    const { cells, weights } = await measured(run);
    expect(weights.map(({ key, bytes }) => [key, bytes])).toEqual([
      ['fc1', 4 * 8 * 16],
      ['fc2', 4 * 16 * 3],
    ]);
    for (const { name } of weights)
      for (const method of ['prune', 'quantize', 'low-rank']) {
        const bytes = cells.filter((cell) => cell.weight === name && cell.method === method).map((cell) => cell.bytes);
        expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
      }
  });

  test('has the levels and patterns that the experiment gives the layer, which the suggestion keeps', async () => {
    const compression = {
      method: 'quantize',
      policy: 'one-shot',
      distortEvery: 10,
      layers: { fc1: { levels: 'uniform', bits: 8, bucket: 'tensor' } },
    };
    const { run } = await trained({ compression });
    const report = await measured(run, { methods: ['quantize'], values: [1, 5], layers: ['fc1'], maxDrop: 1 });
    const { cells, suggestion, warnings } = report;
    // Codes of each number, and two floats for the one bucket.
    expect(cells.map(({ bytes }) => bytes <= (128 * 5) / 8 + 8)).toEqual([true, true]);
    expect(suggestion?.compression).toMatchObject({
      method: 'quantize',
      layers: { fc1: { levels: 'uniform', bits: 1, bucket: 'tensor' } },
    });
    expect(warnings).toEqual([expect.stringContaining('are compressed') as string]);
  });
});

describe('the suggestion', () => {
  test('holds together, and can be pasted into the experiment', async () => {
    const { run, file } = await trained();
    const maxDrop = 0.05;
    const { suggestion, bytes, value } = await measured(run, { maxDrop });
    expect(suggestion).toBeDefined();
    const { layers, compression, drop, drops } = suggestion!;
    expect(drop).toBeLessThanOrEqual(maxDrop);
    expect(drops.at(-1)).toBe(drop);
    expect(drops.slice(0, -1).every((earlier) => earlier === null || earlier > maxDrop)).toBe(true);
    expect(value - suggestion!.value).toBeCloseTo(drop, 7);
    for (const layer of layers) expect(layer.drop).toBeLessThanOrEqual(maxDrop);
    expect(suggestion!.bytes).toBeLessThan(bytes);
    const text = JSON.stringify({ ...experiment, data, start: `run:${run.id}`, compression });
    expect(() => parseExperiment(text, { file })).not.toThrow();
  });

  test('is eased until all layers together are within the drop', async () => {
    const { run } = await trained();
    // Alone, each layer may cost much; a drop that some cell has, and that two of them exceed.
    const { cells } = await measured(run);
    const costs = cells.flatMap(({ drop }) => (drop !== null && drop > 0 ? [drop] : [])).sort((a, b) => a - b);
    let eased = 0;
    for (const maxDrop of [...new Set(costs)]) {
      const { suggestion } = await measured(run, { maxDrop });
      expect(suggestion!.drop).toBeLessThanOrEqual(maxDrop);
      eased += suggestion!.drops.length - 1;
    }
    expect(eased).toBeGreaterThan(0);
  });

  test('is empty where nothing is within the drop', async () => {
    const { run } = await trained();
    const { suggestion } = await measured(run, { methods: ['prune'], values: [0.99], maxDrop: 0 });
    expect(suggestion).toMatchObject({ layers: [], drop: 0 });
    expect(suggestion).not.toHaveProperty('compression');
  });
});

describe('what was measured', () => {
  test('leaves the run as it is, and is not measured again', async () => {
    const { run } = await trained();
    const hashes = () =>
      [weightsFile(run), run.eventsFile, join(run.path, 'run.json')].map((file) =>
        createHash('sha256').update(readFileSync(file)).digest('hex'),
      );
    const before = hashes();
    const first = await measured(run, { maxDrop: 0.1 });
    expect(first.evaluations).toBeGreaterThan(first.cells.length);
    expect(hashes()).toEqual(before);
    const { evaluations, ...second } = await measured(run, { maxDrop: 0.1 });
    expect(evaluations).toBe(0);
    expect({ ...second, evaluations: first.evaluations }).toEqual(first);
    const more = await measured(run, { methods: ['prune'], values: [0.5, 0.55] });
    expect(more.evaluations).toBe(2);
    const fewer = await measured(run, { samples: 10, methods: ['prune'], values: [0.5] });
    expect(fewer).toMatchObject({ samples: 10, evaluations: 3 });
  });

  test('is measured again where weights or the model have changed, or the record is damaged', async () => {
    const { run } = await trained();
    const options = { methods: ['prune'], values: [0.5] } as const;
    await measured(run, options);
    const folder = join(run.path, 'sensitivity');
    const [record] = readdirSync(folder);
    await writeFile(join(folder, record), '{"version":1,"measured":{"[]":{"value":"much"}}}');
    expect(await measured(run, options)).toMatchObject({ evaluations: 3 });
    const { tensors } = decodeSafetensors(readFileSync(weightsFile(run)));
    (tensors.get('fc1/kernel')!.data as Float32Array)[0] += 1;
    await writeFile(weightsFile(run), encodeSafetensors(tensors, { run: run.id }));
    expect(await measured(run, options)).toMatchObject({ evaluations: 3 });
  });

  test('is told all the same where it cannot be kept', async () => {
    const { run } = await trained();
    await writeFile(join(run.path, 'sensitivity'), 'a file in the place of the folder');
    const { cells, warnings } = await measured(run, { methods: ['prune'], values: [0.5] });
    expect(cells).toHaveLength(2);
    expect(warnings).toEqual([expect.stringMatching(/^not kept for another call: /) as string]);
  });

  test('is kept of a call that is cancelled', async () => {
    const { run } = await trained();
    const controller = new AbortController();
    const cancelled = measured(run, {
      signal: controller.signal,
      onProgress: ({ settings }) => settings === 3 && controller.abort(),
    });
    await expect(cancelled).rejects.toThrow(/aborted/);
    const { evaluations, cells } = await measured(run);
    expect(evaluations).toBe(cells.length - 3);
  });
});

describe('the weights', () => {
  test('can be those of a checkpoint, and those that an experiment starts from', async () => {
    const { run, file, write, folder } = await trained();
    const final = await measured(run, { methods: ['prune'], values: [0.5] });
    const checkpoint = await measured(run, {
      origin: { run, checkpoint: true },
      methods: ['prune'],
      values: [0.5],
    });
    expect(checkpoint).toMatchObject({ weightsAre: 'checkpoint', step: 40 });
    expect(checkpoint.cells).not.toEqual(final.cells);
    const from = join(folder, 'from.deeptwist.jsonc');
    await write('from.deeptwist.jsonc', JSON.stringify({ ...experiment, data, start: `run:${run.id}` }));
    const start = await measured(run, { origin: { experiment: from }, methods: ['prune'], values: [0.5] });
    expect(start).toMatchObject({ weightsAre: 'start', experiment: from, cells: final.cells, warnings: [] });
    expect(existsSync(join(folder, '.deeptwist', 'sensitivity'))).toBe(true);
    const random = await measured(run, { origin: { experiment: file }, methods: ['prune'], values: [0.5] });
    expect(random.warnings).toEqual([expect.stringContaining('Where they are random') as string]);
  });

  test('are not those of a built-in model that was never trained', async () => {
    const { write, folder, run } = await trained();
    const path = join(folder, 'builtin.deeptwist.jsonc');
    const inputs = new Float32Array(784 * 20);
    await write('images.npy', npy(inputs, [20, 784]));
    await write('digits.npy', npy(new Int32Array(20), [20]));
    const arrays = { inputs: 'images.npy', targets: 'digits.npy' };
    await write(
      'builtin.deeptwist.jsonc',
      JSON.stringify({
        model: 'builtin:lenet-300-100',
        data: { type: 'arrays', train: arrays, test: arrays, split: { validation: 0.5 } },
        training: { ...experiment.training, batchSize: 5, steps: 1 },
      }),
    );
    const { message, remedy } = await userErrorOf(() => measured(run, { origin: { experiment: path } }));
    expect(message).toContain('random weights');
    expect(remedy).toContain('"start"');
  });
});

describe('it is refused', () => {
  test('without a validation split, for layers and values that there are not', async () => {
    const { run } = await trained();
    const refused = async (options: Partial<SensitivityOptions>) => {
      const { message, remedy, exitCode } = await userErrorOf(() => measured(run, options));
      expect(exitCode).toBe(2);
      return `${message} ${remedy}`;
    };
    expect(await refused({ layers: ['fx1'] })).toMatch(/--layers fx1: matches no layer.*Did you mean "fc1"/);
    expect(await refused({ layers: ['fc1/bias'] })).toContain('cannot be compressed');
    expect(await refused({ methods: ['prune'], values: [1.5] })).toMatch(
      /rate of "prune" is a number in \[0, 1\), got 1.5/,
    );
    expect(await refused({ methods: ['prune'], values: [-0.1] })).toContain('got -0.1');
    expect(await refused({ methods: ['quantize'], values: [9] })).toContain('an integer from 1 to 8');
    expect(await refused({ methods: ['low-rank'], values: [2.5] })).toContain('a positive integer');
    expect(await refused({ methods: ['low-rank'], values: [2, 50] })).toMatch(
      /No layer can have the value 50.*at most/,
    );
    // fc2 has a rank of at most 3.
    const { cells } = await measured(run, { methods: ['low-rank'], values: [8] });
    expect(cells.map(({ weight }) => weight)).toEqual(['fc1/kernel']);
    const { run: narrow } = await trained({ model: mlp.replace('units: 16', 'units: 1') });
    const { message: nothing } = await userErrorOf(() => measured(narrow, { methods: ['low-rank'] }));
    expect(nothing).toMatch(/nothing to try: low-rank can make none of these smaller: fc1\/kernel, fc2\/kernel/);
    const without = await workspace();
    const { run: other } = await without.run();
    const { message } = await userErrorOf(() => measured(other));
    expect(message).toContain('no validation split');
    expect((await measured(other, { split: 'test', methods: ['prune'] })).samples).toBe(60);
  });

  test('where the metric of the model is not finite', async () => {
    const { run } = await trained();
    const { tensors } = decodeSafetensors(readFileSync(weightsFile(run)));
    (tensors.get('fc1/kernel')!.data as Float32Array)[0] = NaN;
    await writeFile(weightsFile(run), encodeSafetensors(tensors, { run: run.id }));
    const { message, remedy } = await userErrorOf(() => measured(run));
    expect(message).toMatch(/on the validation split is not a finite number/);
    expect(remedy).toContain('did not diverge');
  });
});
