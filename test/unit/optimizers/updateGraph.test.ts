import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { portName } from '../../../server/compiler/ports.ts';
import { BoundSession } from '../../../server/compiler/session.ts';
import { algorithmOf } from '../../../server/optimizers/algorithms.ts';
import { NORM_PORT, numberPort, updateGraph, updateNumbers } from '../../../server/optimizers/updateGraph.ts';
import { clip, config } from './configurations.ts';
import { randomNumbers } from './random.ts';
import { trainReference } from './reference.ts';

const LEARNING_RATE = 0.05;
/** Parameters of about 1 after 5 updates in float32, compared with float64. */
const TOLERANCE = 2e-6;

test('an update as a graph follows the formulas of the papers in float64, with any clipping and weight decay', async () => {
  await fc.assert(
    fc.asyncProperty(
      config,
      clip,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
      fc.nat(),
      async (config, clip, lengths, seed) => {
        const random = randomNumbers(seed);
        const parameters = lengths.map((length, i) => ({ name: `w${i}`, shape: [length] }));
        const graph = lowerGraph(updateGraph(config, clip, parameters));
        const session = await BoundSession.create(graph, new Map(), { threads: 1, spinning: false });
        const buffer = (port: string) => session.buffers.get(port) as Float32Array;
        const fill = (port: string) => buffer(port).forEach((_, i, array) => (array[i] = random()));
        const slots = Object.entries(algorithmOf(config).slots);
        for (const { name } of parameters) {
          fill(portName.parameter(name));
          for (const [slot, value] of slots) buffer(portName.slot(`${name}/${slot}`)).fill(value);
        }
        const initial = parameters.map(({ name }) => [...buffer(portName.parameter(name))]);
        const gradients: number[][][] = [];
        for (let iteration = 1; iteration <= 5; iteration++) {
          for (const { name } of parameters) fill(portName.gradient(name));
          gradients.push(parameters.map(({ name }) => [...buffer(portName.gradient(name))]));
          const numbers = updateNumbers(config, { learningRate: LEARNING_RATE, iteration });
          for (const [name, value] of Object.entries(numbers)) buffer(numberPort(name)).fill(value);
          await session.run();
          for (const { name } of graph.inputs) {
            const next = session.buffers.get(portName.next(name));
            if (next) buffer(name).set(next);
          }
        }
        expect(session.buffers.has(NORM_PORT)).toBe(clip?.globalNorm !== undefined);
        const expected = trainReference(config, clip, LEARNING_RATE, initial, gradients);
        parameters.forEach(({ name }, p) =>
          buffer(portName.parameter(name)).forEach((w, i) =>
            expect(Math.abs(w - expected[p][i])).toBeLessThan(TOLERANCE),
          ),
        );
        await session.release();
      },
    ),
    { numRuns: 60 },
  );
});
