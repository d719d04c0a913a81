/** @file Rows of a made-up sweep: rates by seeds, of which a higher rate is smaller and a little worse. */
import type { SweptRunRow } from '../../../../server/protocol/wire/sweep.ts';

export function sweptRow(line: number, vary: readonly string[], changes: Partial<SweptRunRow> = {}): SweptRunRow {
  return { line, id: `s.${line}`, key: `/runs/s.${line}`, vary, seed: 1, state: 'finished', ...changes };
}

export function sweptRows(
  rates: readonly number[],
  seeds: readonly number[],
  test = (rate: number, seed: number) => 1 - rate / 50 - seed / 1000,
): SweptRunRow[] {
  return rates.flatMap((rate, i) =>
    seeds.map((seed, j) => {
      const bytes = Math.round(1000 * (1 - rate));
      return sweptRow(i * seeds.length + j + 1, [`compression.layers.fc1.rate=${rate}`, `training.seed=${seed}`], {
        seed,
        result: {
          metric: 'accuracy',
          test: test(rate, seed),
          bytes: 1000,
          bytesKept: bytes,
          byteRatio: 1000 / bytes,
          seconds: 60,
        },
      });
    }),
  );
}
