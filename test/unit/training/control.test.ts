/** @file What a run is asked for while it trains changes nothing of what is trained. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { Method, PolicyId } from '../../../server/protocol/experiment/schema.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { policyFacts, suitablePolicies } from '../../../server/protocol/experiment/methods/policies.ts';
import { TrainingControl } from '../../../server/training/control.ts';
import { runExperiment } from '../../../server/training/index.ts';
import {
  eventsOf,
  experiment,
  finalWeights,
  recordedEvents,
  resume,
  statefulLstm,
  workspace,
  type Workspace,
} from './workspace.ts';

const prune = {
  method: 'prune',
  distortEvery: 4,
  layers: { fc1: { rate: 0.7 } },
  schedule: { from: 10, to: 40 },
};

const sgd = { ...experiment.training, optimizer: { type: 'sgd', learningRate: 0.1, momentum: 0.9 } };

/** Runs the experiment; `ask` is called at each event, before the next step. */
async function trained({ file }: Workspace, ask: (control: TrainingControl, event: RunEvent) => void) {
  await tf.setBackend('cpu');
  const control = new TrainingControl();
  const stop = new AbortController();
  const events: RunEvent[] = [];
  const outcome = await runExperiment({
    file,
    overrides: [],
    signal: stop.signal,
    control,
    onEvent(event) {
      events.push(event);
      ask(control, event);
    },
  });
  return { ...outcome, events };
}

const schedules = { prune: { from: 10, to: 40 }, others: { from: 10 } };
const methods: {
  readonly [M in Method]: { readonly layers: Readonly<Record<string, object>> } & Readonly<Record<string, unknown>>;
} = {
  prune: { layers: { fc1: { rate: 0.7 } }, schedule: schedules.prune },
  quantize: { layers: { 'fc*': { bits: 2 } }, schedule: schedules.others },
  'low-rank': { layers: { fc1: { rank: 3 } }, schedule: schedules.others },
  'nuclear-norm': { unit: 'steps', layers: { fc1: { tau: 1 } }, schedule: schedules.others },
  'group-lasso': { unit: 'steps', layers: { fc1: { lambda: 0.2, alpha: 0.2 } }, schedule: schedules.others },
  custom: { module: './distort.ts', layers: { fc1: {} }, schedule: schedules.others },
};

/** Every method with every policy that it works with, by name. */
const combinations = Object.entries(methods).flatMap(([method, settings]) =>
  suitablePolicies(method as Method).map((policy): [string, Record<string, unknown>] => [
    `${method}, ${policy}`,
    { compression: { method, policy, distortEvery: 4, ...settings, layers: suitableLayers(settings.layers, policy) } },
  ]),
);

/** The layers, with the parameters that a policy needs, and none where it finds them. */
function suitableLayers(layers: Readonly<Record<string, object>>, policy: PolicyId): object {
  const { layers: needed, findsRate } = policyFacts[policy];
  return Object.fromEntries(
    Object.entries(layers).map(([key, parameters]) => [key, { ...(!findsRate && parameters), ...needed }]),
  );
}

const lstm = (policy: string) => ({
  model: statefulLstm,
  compression: { method: 'low-rank', policy, distortEvery: 4, layers: { '*': { rank: 2, sharedProjection: true } } },
});

const experiments: [string, Record<string, unknown>][] = [
  ['without a compression', {}],
  ...combinations,
  ['a shared projection and a state, straight-through', lstm('straight-through')],
  ['a shared projection and a state, factors', { ...lstm('factors'), training: sgd }],
];

async function place(changes: Record<string, unknown>): Promise<Workspace> {
  const made = await workspace(changes);
  await made.write(
    'distort.ts',
    'export const distort = (weights) => weights.forEach((w, i) => { weights[i] = w / 2; });',
  );
  return made;
}

test.each(experiments)(
  'a run that is evaluated and observed at every step ends as one that is not: %s',
  async (_, changes) => {
    const { run } = await place(changes);
    const often = ['training.evaluateEvery=1', 'observe.every=1'];
    const seldom = ['training.evaluateEvery=1000', 'observe.every=1000'];
    const [watched, left] = [await run({ overrides: often }), await run({ overrides: seldom })];
    expect(eventsOf(watched.events, 'evaluation').length).toBeGreaterThan(58);
    expect(eventsOf(left.events, 'evaluation').length).toBeLessThan(4);
    expect(finalWeights(watched.run)).toEqual(finalWeights(left.run));
  },
);

describe('a run that is paused, observed and saved on request ends as one that is left alone', () => {
  test.each(experiments)('%s', async (_, changes) => {
    const made = await place(changes);
    const undisturbed = await made.run();
    const answers: Promise<unknown>[] = [];
    const disturbed = await trained(made, (control, event) => {
      if (event.type !== 'metrics' || event.step % 7 !== 0) return;
      answers.push(control.observe(), control.checkpoint());
      answers.push(control.pause().then(() => control.continue()));
    });
    await Promise.all(answers);
    expect(finalWeights(disturbed.run)).toEqual(finalWeights(undisturbed.run));
    const observations = eventsOf(disturbed.events, 'observation').filter(({ scheduled }) => !scheduled);
    expect(observations.map(({ step }) => step)).toEqual([7, 14, 21, 28, 35, 42, 49, 56]);
    for (const { weights } of observations) expect(weights.length).toBeGreaterThan(0);
    const distortions = (events: readonly RunEvent[]) =>
      eventsOf(events, 'distortion').map((event) => ({ ...event, time: 0 }));
    expect(distortions(disturbed.events)).toEqual(distortions(undisturbed.events));
    // A checkpoint at each, besides those that are due.
    expect(eventsOf(disturbed.events, 'checkpoint').map(({ step }) => step)).toEqual([
      7, 14, 20, 21, 28, 35, 40, 42, 49, 56,
    ]);
  });
});

test('an observation that is made after a checkpoint of its step is in the log when the run goes on', async () => {
  const place = await workspace({ compression: prune });
  const stop = new AbortController();
  const control = new TrainingControl();
  const answers: Promise<unknown>[] = [];
  const { run } = await runExperiment({
    file: place.file,
    overrides: [],
    signal: stop.signal,
    control,
    onEvent(event) {
      if (event.type !== 'metrics' || event.step !== 15) return;
      answers.push(control.checkpoint(), control.observe());
      answers.push(control.pause().then(() => stop.abort()));
    },
  });
  await Promise.all(answers);
  await resume(run);
  expect(eventsOf(await recordedEvents(run), 'observation').map(({ step }) => step)).toEqual([15]);
});

test('who asks for something that does not come any more is told that the run has ended', async () => {
  const place = await workspace({ compression: prune });
  const message = (answer: Promise<unknown>) => answer.catch((error: Error) => error.message);
  const late: Promise<unknown>[] = [];
  let asked: TrainingControl | undefined;
  const { state } = await trained(place, (control, event) => {
    asked = control;
    if (event.type !== 'evaluation' || event.moment !== 'final') return;
    late.push(message(control.pause()), message(control.observe()));
  });
  expect(state).toBe('finished');
  const told = 'The run has ended before it could do that.';
  expect(await Promise.all([...late, message(asked!.checkpoint())])).toEqual([told, told, told]);
});
