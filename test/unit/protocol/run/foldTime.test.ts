import { expect, test } from 'vitest';
import { shortest } from '../../../until.ts';
import type { EventOf } from '../../../../server/protocol/run/events.ts';
import { createRunHistory } from '../../../../server/protocol/run/runHistory.ts';

test('a million metrics are folded in less than half a second of processor time', async () => {
  const event: EventOf<'metrics'> = {
    ...{ type: 'metrics', step: 0, time: 1000, epoch: 0 },
    ...{ loss: 1, learningRate: 0.1, stepsPerSecond: 50 },
  };
  const took = await shortest(500, () => {
    const history = createRunHistory();
    // Not the clock's time: other tests run beside this one, which make the processor's own time longer, too.
    const begin = process.cpuUsage();
    for (let step = 1; step <= 1_000_000; step++) {
      event.step = step;
      history.apply(event);
    }
    const { user, system } = process.cpuUsage(begin);
    expect(history.snapshot().metrics.length).toBe(1_000_000);
    return (user + system) / 1000;
  });
  expect(took).toBeLessThan(500);
});
