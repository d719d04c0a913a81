import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSentColumns, packColumns, restoreColumns } from '../../../../server/protocol/wire/sentColumns.ts';

/** What a message carries: typed arrays as they are, everything else as JSON. */
function throughMessage<Value>(value: Value): Value {
  if (ArrayBuffer.isView(value)) return value;
  if (typeof value !== 'object' || value === null) return JSON.parse(JSON.stringify(value)) as Value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, throughMessage<unknown>(part)])) as Value;
}

const bytesOf = (buffers: readonly ArrayBuffer[]) => buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);

describe('columns on their way to a page', () => {
  it('arrive with the very same numbers, whatever these are', () => {
    const numbers = fc.oneof(
      fc.array(fc.double()),
      fc.array(fc.integer()),
      fc.array(fc.float()),
      fc.array(fc.constantFrom(0, -0, NaN, 0.1, 1e-3, Infinity)),
      fc
        .tuple(fc.double(), fc.double(), fc.nat(300))
        .map(([a, b, n]) => Array.from({ length: n }, (_, i) => a + i * b)),
    );
    fc.assert(
      fc.property(numbers, fc.nat(3), fc.integer({ min: 1, max: 5000 }), (values, unused, stepsPerEpoch) => {
        const length = values.length;
        const column = (list: readonly number[]) => Float64Array.from([...list, ...Array<number>(unused).fill(7)]);
        const step = values.map((_, i) => 3 * i + 1);
        const columns = {
          step: column(step),
          value: column(values),
          epoch: column(step.map((s) => s / stepsPerEpoch)),
        };
        const [sent] = packColumns({ length, columns });
        expect(isSentColumns(sent)).toBe(true);
        const restored = restoreColumns(throughMessage(sent));
        expect(restored.length).toBe(length);
        for (const name of ['step', 'value', 'epoch'] as const)
          expect([...restored.columns[name]].every((number, i) => Object.is(number, columns[name][i]))).toBe(true);
      }),
      { examples: [[[-Infinity], 0, 1]] },
    );
  });

  it('take a quarter of their bytes, as a run records them', () => {
    const rows = 10_000;
    const table = (value: (i: number) => number) => Float64Array.from({ length: rows }, (_, i) => value(i));
    const columns = {
      step: table((i) => 10 * i + 10),
      time: table((i) => 1.7e12 + Math.floor(i * 33.3)),
      epoch: table((i) => (10 * i + 10) / 1200),
      loss: table((i) => Math.fround(1 / (i + 3))),
      learningRate: table((i) => (i < 7000 ? 1e-3 : 2e-4)),
      stepsPerSecond: table((i) => Math.fround(800 + Math.sin(i))),
    };
    const [, buffers] = packColumns({ length: rows, columns });
    expect(bytesOf(buffers)).toBeLessThan((6 * 8 * rows) / 3.6);
  });

  it('are told from what is none', () => {
    const step = new Float64Array(3);
    expect(isSentColumns({ length: 3, columns: { step } })).toBe(true);
    for (const wrong of [
      undefined,
      [],
      { length: 4, columns: { step } },
      { length: 1.5, columns: { step } },
      { length: 3, columns: { step: [1, 2, 3] } },
      { length: 3, columns: { step: { base: 1, offsets: new Uint32Array(2) } } },
      { length: 3, columns: { step: { values: [1], indices: new Uint8Array(3) } } },
      { length: 3, columns: { step: { first: 1 } } },
    ])
      expect(isSentColumns(wrong)).toBe(false);
  });
});
