/** @file What a run is asked for while it trains changes nothing of what is trained. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../server/protocol/events.ts';
import { TrainingControl } from '../../../server/training/control.ts';
import { runExperiment } from '../../../server/training/index.ts';
import { eventsOf, finalWeights, recordedEvents, resume, workspace, type Workspace } from './workspace.ts';

const prune = {
  method: 'prune',
  distortEvery: 4,
  layers: { fc1: { rate: 0.7 } },
  schedule: { from: 10, to: 40 },
};

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

describe('a run that is paused, observed and saved on request ends as one that is left alone', () => {
  test.each([
    ['without a compression', {}],
    ['deeptwist', { compression: prune }],
    ['gradual-mask', { compression: { ...prune, policy: 'gradual-mask' } }],
    ['one-shot', { compression: { ...prune, policy: 'one-shot' } }],
    ['straight-through', { compression: { ...prune, policy: 'straight-through' } }],
    ['quantization', { compression: { method: 'quantize', distortEvery: 5, layers: { 'fc*': { bits: 2 } } } }],
    ['low rank', { compression: { method: 'low-rank', distortEvery: 5, layers: { fc1: { rank: 3 } } } }],
  ])('%s', async (_, changes) => {
    const place = await workspace(changes);
    const undisturbed = await place.run();
    const answers: Promise<unknown>[] = [];
    const disturbed = await trained(place, (control, event) => {
      if (event.type !== 'metrics' || event.step % 7 !== 0) return;
      answers.push(control.observe(), control.checkpoint());
      answers.push(control.pause().then(() => control.continue()));
    });
    await Promise.all(answers);
    expect(finalWeights(disturbed.run)).toEqual(finalWeights(undisturbed.run));
    const observations = eventsOf(disturbed.events, 'observation');
    expect(observations.map(({ step }) => step)).toEqual([7, 14, 21, 28, 35, 42, 49, 56]);
    for (const { weights } of observations) expect(weights.map(({ name }) => name)).toContain('fc1/kernel');
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
