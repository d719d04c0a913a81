/** @file Units that are removed while a model trains: what it puts out, what goes on, and that a resumed run ends as one that was not stopped. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors } from '../../../server/formats/safetensors.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { readLatestCheckpoint } from '../../../server/runs/checkpoints.ts';
import type { Run } from '../../../server/runs/run.ts';
import { evaluateFile } from '../../../server/export/evaluateFile.ts';
import { evaluateRun } from '../../../server/training/index.ts';
import { exported } from '../export/finishedRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import {
  CLASSES,
  eventsOf,
  experiment,
  FEATURES,
  finalWeights,
  mlp,
  recordedEvents,
  resume,
  statefulLstm,
  weightsFile,
  workspace,
  type RecordedRun,
} from './workspace.ts';

/** As LeNet-300-100: two hidden layers of rectifiers. `fc2` is normalized, and `fc3` has no bias. */
const perceptron = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.dense({ name: 'fc1', units: 30, activation: 'relu', inputShape: [${FEATURES}] }),
    tf.layers.dropout({ rate: 0.1 }),
    tf.layers.dense({ name: 'fc2', units: 20 }),
    tf.layers.batchNormalization({ name: 'norm' }),
    tf.layers.activation({ activation: 'relu' }),
    tf.layers.dense({ name: 'fc3', units: ${CLASSES}, activation: 'softmax', useBias: false }),
  ] });
`;
/** An epoch has 12 steps. */
const EPOCH = 12;
const groupLasso = (...[fc1, fc2]: readonly [number, number]) => ({
  method: 'group-lasso',
  layers: { fc1: { lambda: fc1 }, fc2: { lambda: fc2 } },
});
const adam = { type: 'adam', learningRate: 0.02 };
/** For Adam, whose thresholds do not follow the learning rate. */
const fixed = { ...groupLasso(0.08, 0.1), threshold: 'lambda' };
const sgd = { type: 'sgd', learningRate: 0.1, momentum: 0.9 };
const training = (changes: object = {}) => ({ ...experiment.training, optimizer: sgd, ...changes });
const aware = {
  model: perceptron,
  compression: groupLasso(1.6, 1.2),
  thin: { at: [2, 3] },
  training: training(),
};

/** What the newest checkpoint of a run holds. */
async function checkpointTensors(run: Run) {
  const { checkpoint } = await readLatestCheckpoint(run);
  return checkpoint!.tensors;
}

/** The final weights with their shapes. */
function storedWeights(run: Run) {
  return decodeSafetensors(readFileSync(weightsFile(run))).tensors;
}

/** The events without what differs from one process to the next. */
function measured(events: readonly RunEvent[]): unknown[] {
  return events.flatMap((event) => {
    if (['started', 'stopped', 'checkpoint', 'warning', 'finished'].includes(event.type)) return [];
    return [{ ...event, time: 0, stepsPerSecond: 0 }];
  });
}

describe('a model is thinned while it trains', () => {
  test('without a change of what it puts out, and trains on with fewer weights', async () => {
    const { run, events, state } = await (await workspace(aware)).run();
    expect(state).toBe('finished');
    const [first, second, ...others] = eventsOf(events, 'thinned');
    expect(others).toEqual([]);
    expect([first.step, second.step]).toEqual([2 * EPOCH, 3 * EPOCH]);
    for (const { lossBefore, lossAfter } of [first, second]) expect(lossAfter).toBeCloseTo(lossBefore, 6);
    const left = (name: string) => first.removed.find(({ layer }) => layer === name)!.units!.after;
    expect(left('fc1')).toBeLessThan(30);
    expect(left('fc2')).toBeLessThan(20);
    expect(left('fc3')).toBe(CLASSES);
    expect(second.parameters.before).toBeGreaterThanOrEqual(second.parameters.after);
    // What was 0 at the distortion is what is removed: the groups that the next distortion sees are those that are left.
    const units = eventsOf(events, 'distortion').flatMap(({ step, weights }) =>
      weights.flatMap(({ name, units }) => (name === 'fc1/kernel' && units ? [{ step, ...units }] : [])),
    );
    expect(units.find(({ step }) => step === 2 * EPOCH)).toMatchObject({ left: left('fc1'), all: 30 });
    expect(units.find(({ step }) => step === 3 * EPOCH)).toMatchObject({ all: left('fc1') });
    // All later steps are of the smaller model, and it learns.
    const [before, after] = [second.step, 60].map(
      (step) =>
        eventsOf(events, 'metrics')
          .filter((event) => event.step <= step)
          .at(-1)!.loss,
    );
    expect(after).toBeLessThan(before);
    const weights = finalWeights(run);
    const inFile = [...weights.values()].reduce((sum, { length }) => sum + length, 0);
    expect(inFile).toBe(second.parameters.after);
    expect(weights.get('norm/moving_variance')).toHaveLength(weights.get('fc2/bias')!.length);
  });

  test('a summary counts what thinning has saved', async () => {
    const { run, events } = await (await workspace(aware)).run();
    const { summary } = eventsOf(events, 'finished')[0];
    const row = summary.layers.find(({ name }) => name === 'fc1/kernel')!;
    expect(row).toMatchObject({ shape: [FEATURES, 30], weights: 30 * FEATURES, bytes: 4 * 30 * FEATURES });
    const weights = storedWeights(run);
    expect(row.weightsKept).toBeLessThanOrEqual(weights.get('fc1/kernel')!.shape[1] * FEATURES);
    const [last] = eventsOf(events, 'thinned').slice(-1);
    expect(last.layers.find(({ name }) => name === 'fc1/kernel')).toMatchObject({
      shape: [FEATURES, 30],
      left: weights.get('fc1/kernel')!.shape,
    });
    expect(summary.weightRatio).toBeGreaterThan(1);
  });

  test('the state of what stays is kept: momentum, moments and moving averages', async () => {
    const { run } = await workspace({ ...aware, compression: fixed, training: training({ optimizer: adam }) });
    const [whole, thin] = [
      await run({ overrides: ['thin.at=[4]'], stopAfter: 3 * EPOCH }),
      await run({ overrides: ['thin.at=[3]'], stopAfter: 3 * EPOCH }),
    ];
    const [before, after] = [await checkpointTensors(whole.run), await checkpointTensors(thin.run)];
    expect(eventsOf(thin.events, 'thinned')[0].parameters.after).toBeLessThan(
      eventsOf(thin.events, 'thinned')[0].parameters.before,
    );
    // Units of fc2 are in the order of the model: those whose column is not 0 are left.
    const columns = (name: string) => {
      const { data, shape } = before.get(name)!;
      return Array.from({ length: shape.at(-1)! }, (_, column) => column).filter((column) =>
        Array.from(data as Float32Array).some((value, i) => i % shape.at(-1)! === column && value !== 0),
      );
    };
    const [stay1, stay2] = [columns('fc1/kernel'), columns('fc2/kernel')];
    expect(stay1.length).toBeLessThan(30);
    expect(stay2.length).toBeLessThan(20);
    for (const slot of ['m', 'v']) {
      const old = before.get(`optimizer:fc2/kernel/${slot}`)!.data as Float32Array;
      const expected = stay1.flatMap((row) => stay2.map((column) => old[20 * row + column]));
      expect([...(after.get(`optimizer:fc2/kernel/${slot}`)!.data as Float32Array)]).toEqual(expected);
    }
    const mean = before.get('norm/moving_mean')!.data as Float32Array;
    expect([...(after.get('norm/moving_mean')!.data as Float32Array)]).toEqual(stay2.map((column) => mean[column]));
  });

  test('to the size that `deeptwist thin` gives the same run without it', async () => {
    // Without momentum, a rectifier that is 0 for every sample stays so: both runs train the same units.
    const compression = { method: 'group-lasso', layers: { fc1: { lambda: 1 } } };
    const optimizer = { type: 'sgd', learningRate: 0.1 };
    // Its masks are drawn for the units that there are.
    const withoutDropout = mlp.replace('tf.layers.dropout({ rate: 0.2 }),', '');
    const made = await workspace({ model: withoutDropout, compression, training: training({ optimizer }) });
    const sizeOf = async (overrides: readonly string[], name: string) => {
      const { run } = await made.run({ overrides });
      const options = { format: 'packed', path: join(made.folder, name), thin: {} } as const;
      return (await exported(run, made.folder, options)).thinning!.parameters;
    };
    const whole = await sizeOf([], 'whole');
    const early = await sizeOf(['thin={"at":[1, 3]}'], 'early');
    expect(early.before).toBeLessThan(whole.before);
    expect(early.after).toBe(whole.after);
  });

  test('with the penalties and the constraints of its layers', async () => {
    const own = `{ name: 'fc1', units: 30, kernelRegularizer: tf.regularizers.l2({ l2: 1e-3 }), biasConstraint: tf.constraints.nonNeg(), `;
    const model = perceptron.replace(`{ name: 'fc1', units: 30, `, own);
    const { run, events } = await (await workspace({ ...aware, model })).run();
    const [{ step, removed }] = eventsOf(events, 'thinned');
    const { units } = removed.find(({ layer }) => layer === 'fc1')!;
    expect(units!.after).toBeLessThan(30);
    const later = eventsOf(events, 'metrics').filter((event) => event.step > step);
    for (const { losses } of later) expect(losses?.regularization).toBeGreaterThan(0);
    expect([...finalWeights(run).get('fc1/bias')!].every((bias) => bias >= 0)).toBe(true);
  });

  test('nothing is removed where no unit is 0', async () => {
    const { events, state } = await (await workspace({ ...aware, compression: groupLasso(1e-6, 1e-6) })).run();
    expect(state).toBe('finished');
    expect(eventsOf(events, 'thinned').map(({ parameters: { before, after } }) => before - after)).toEqual([0, 0]);
  });
});

describe('a run that is stopped before, at and after a thinning ends as if it had not been', () => {
  test.each([
    ['momentum', aware],
    ['Adam', { ...aware, compression: fixed, training: training({ optimizer: adam }) }],
    [
      'both penalties',
      { ...aware, compression: [{ method: 'nuclear-norm', layers: { fc2: { tau: 1 } } }, groupLasso(1.6, 1.2)] },
    ],
    ['the eager executor', { ...aware, training: training({ executor: 'eager' }) }],
    [
      'a thinning in steps',
      {
        ...aware,
        compression: { ...groupLasso(0.7, 0.5), distortEvery: 5, unit: 'steps' },
        thin: { at: [25, 40], unit: 'steps' },
      },
    ],
  ])('%s', async (_, changes) => {
    const { run } = await workspace(changes);
    const uninterrupted = await run();
    const [{ step: at, parameters }] = eventsOf(uninterrupted.events, 'thinned');
    expect(parameters.after).toBeLessThan(parameters.before);
    let interrupted = await run({ stopAfter: at - 1 });
    for (const step of [at, at + 1, 50]) interrupted = await resume(interrupted.run, step);
    const resumed = await resume(interrupted.run);
    expect(resumed.state).toBe('finished');
    expect(finalWeights(resumed.run)).toEqual(finalWeights(uninterrupted.run));
    expect(measured(await recordedEvents(resumed.run))).toEqual(measured(uninterrupted.events));
  });
});

describe('the finished model of a thinned run', () => {
  test('is evaluated as it was, exported, and a teacher', async () => {
    const made = await workspace(aware);
    const { run, events } = await made.run();
    const { summary } = eventsOf(events, 'finished')[0];
    expect(existsSync(join(run.modelFolder, 'topology.json'))).toBe(true);
    expect((await evaluateRun({ run })).value).toBe(summary.test);
    for (const format of ['onnx', 'tfjs', 'packed', 'safetensors'] as const) {
      const report = await exported(run, made.folder, { format, path: join(made.folder, `exported-${format}`) });
      expect(report.value).toBeCloseTo(summary.test, 6);
      const { signal } = new AbortController();
      const file = { path: report.path, directory: made.folder, signal, onProgress: () => undefined };
      expect(await evaluateFile(file)).toMatchObject({ value: report.value, runValue: summary.test });
    }
    const student = await made.run({ overrides: [`distillation={"teacher":"run:${run.id}"}`, 'training.steps=40'] });
    expect(student.state).toBe('finished');
  });

  test('is not what a run of the whole model can start from', async () => {
    const { run } = await workspace(aware);
    const { run: thinned } = await run();
    const error = await userErrorOf(() => run({ overrides: [`start=run:${thinned.id}`] }));
    expect(error.message).toContain(`start: the run ${thinned.id} removed units while it trained`);
    expect(error.remedy).toContain(`deeptwist export ${thinned.id} --format tfjs`);
  });
});

describe('a model that cannot be thinned is refused before the training', () => {
  const layerOf = (getConfig: string) => `
    import * as tf from '@tensorflow/tfjs';
    class Wide extends tf.layers.Layer {
      static className = 'Wide';
      constructor(config) { super(config); this.units = config.units ?? 5; }
      build() { this.w = this.addWeight('w', [${FEATURES}, this.units], 'float32', tf.initializers.glorotNormal({ seed: 1 })); this.built = true; }
      computeOutputShape([batch]) { return [batch, this.units]; }
      call(inputs) { return tf.matMul([inputs].flat()[0], this.w.read()); }
      ${getConfig}
    }
    tf.serialization.registerClass(Wide);
    export const createModel = () => tf.sequential({ layers: [
      new Wide({ name: 'wide', units: 9, inputShape: [${FEATURES}] }),
      tf.layers.dense({ name: 'fc1', units: 12, activation: 'relu' }),
      tf.layers.dense({ name: 'fc2', units: ${CLASSES}, activation: 'softmax' }),
    ] });
  `;

  test('since a layer of the user does not save its settings', async () => {
    const { run } = await workspace({ ...aware, model: layerOf('') });
    const error = await userErrorOf(() => run());
    expect(error.message).toContain(
      'thin: the model cannot be made smaller while it trains: wide/w [8, 9], trained, is another one',
    );
    expect(error.remedy).toContain('getConfig()');
  });

  test('and is thinned where that layer does', async () => {
    const model = layerOf('getConfig() { return { ...super.getConfig(), units: this.units }; }');
    const { state, events } = await (
      await workspace({ ...aware, model, compression: { method: 'group-lasso', layers: { fc1: { lambda: 1.5 } } } })
    ).run();
    expect(state).toBe('finished');
    expect(eventsOf(events, 'thinned')[0].parameters.after).toBeLessThan(
      eventsOf(events, 'thinned')[0].parameters.before,
    );
  });

  test('since every unit has to stay', async () => {
    const model = `
      import * as tf from '@tensorflow/tfjs';
      export const createModel = () => tf.sequential({ layers: [
        tf.layers.dense({ name: 'fc1', units: ${CLASSES}, activation: 'softmax', inputShape: [${FEATURES}] }),
      ] });
    `;
    const { run } = await workspace({ ...aware, model });
    const error = await userErrorOf(() => run({ overrides: ['compression.layers={"fc1":{"lambda":0.1}}'] }));
    expect(error.message).toContain(
      'thin: no unit of the model can be removed (fc1: fc1 applies softmax to all of them together)',
    );
  });

  test('since its state goes on in the middle of an epoch; between two it is thinned', async () => {
    const compression = { method: 'group-lasso', distortEvery: 6, unit: 'steps', layers: { lstm: { lambda: 0.3 } } };
    const { run } = await workspace({ ...aware, model: statefulLstm, compression, thin: { at: [18], unit: 'steps' } });
    const error = await userErrorOf(() => run());
    expect(error.message).toContain('thin.at[0]: the model carries a state from batch to batch');
    expect(await run({ overrides: ['thin={"at":[2]}'] })).toMatchObject({ state: 'finished' });
  });

  test('a thinning that no distortion precedes is told of, while it is to come', async () => {
    const { run } = await workspace({ ...aware, thin: { at: [13, 25], unit: 'steps' } });
    const told = (i: number, step: number) =>
      `thin.at[${i}]: no weights are distorted after step ${step}, so that units which were 0 have trained on and stay.`;
    const warnings = ({ events }: RecordedRun) => eventsOf(events, 'warning').map(({ message }) => message);
    let recorded = await run({ stopAfter: 13 });
    expect(warnings(recorded)).toEqual([told(0, 13), told(1, 25)]);
    recorded = await resume(recorded.run, 25);
    expect(warnings(recorded)).toEqual([told(1, 25)]);
    expect(warnings(await resume(recorded.run))).toEqual([]);
  });
});
