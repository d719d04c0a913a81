/** A loss that is larger at the end than at the beginning is in the summary of its run, and so in run.json. */
import { expect, test } from 'vitest';
import { recordedLoss, riseOfLoss } from '../../../server/protocol/run/riseOfLoss.ts';
import { eventsOf, recordedEvents, resume, workspace } from './workspace.ts';

const steps = 'training.steps=50';

test('of all steps, also where the run was resumed', async () => {
  const { run } = await workspace();
  const stopped = await run({ overrides: [steps, 'training.optimizer.learningRate=30'], stopAfter: 30 });
  const { run: trained } = await resume(stopped.run);
  const events = await recordedEvents(trained);
  const losses = eventsOf(events, 'metrics').map(recordedLoss);
  expect(losses).toHaveLength(50);
  const rise = riseOfLoss(losses);
  expect(rise?.last).toBeGreaterThan(rise!.first);
  expect(eventsOf(events, 'finished')[0].summary.lossRise).toEqual(rise);
  expect(trained.record.result?.lossRise).toEqual(rise);
});

test('not where it has not risen', async () => {
  const { run } = await workspace();
  const { run: trained } = await run({ overrides: [steps] });
  expect(trained.record.state).toBe('finished');
  expect(trained.record.result).not.toHaveProperty('lossRise');
});

test('not where the weights were trained before: compressing them costs something', async () => {
  const { run } = await workspace();
  const { run: dense } = await run({ overrides: [steps] });
  const overrides = [steps, 'training.optimizer.learningRate=30', `start=run:${dense.path}`];
  const { run: trained } = await run({ overrides });
  expect(trained.record.state).toBe('finished');
  expect(trained.record.result).not.toHaveProperty('lossRise');
});
