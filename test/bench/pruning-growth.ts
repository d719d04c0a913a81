/**
 * @file `npm run bench -- pruning-growth`: processor time of one choice of the weights that pruning makes zero, at 1, 4, 16 and 64 million
 * weights. It is to grow no faster than their number.
 */
import { selectionOf, type SelectedWeight } from '../../server/compression/methods/prune/selection.ts';
import { matrixViewOf } from '../../server/compression/targets/matrixView.ts';
import { createArenas, arenaBytes } from '../../server/memory/arena.ts';
import { beside, median, type Benchmark } from './bench.ts';

const MILLION = 2 ** 20;
const SIZES = [1, 4, 16, 64];
const RATE = 0.8;
/** Time a weight at the largest size over that at the smallest: caches hold the smallest. */
const GROWTH = 2;
const COLUMNS = 1024;

interface Choice {
  readonly name: string;
  /** Number of weights that share a threshold. */
  readonly weights: number;
  readonly settings: Parameters<typeof selectionOf>[1];
  /** True where scores choose, not magnitudes. */
  readonly byScores?: boolean;
}

const choices: readonly Choice[] = [
  { name: 'a layer, by magnitude', weights: 1, settings: { pattern: 'element' } },
  { name: 'a model of 16 layers, by magnitude', weights: 16, settings: { pattern: 'element' } },
  { name: 'a model of 16 layers, by scores', weights: 16, settings: { pattern: 'element' }, byScores: true },
  { name: 'blocks of 4 x 4', weights: 16, settings: { pattern: 'block', block: [4, 4] } },
  { name: 'units', weights: 16, settings: { pattern: 'unit' } },
  { name: '2 of 4', weights: 16, settings: { pattern: '2:4' } },
];

export default {
  options: { rounds: { type: 'string' }, only: { type: 'string' } },
  run({ rounds = '5', only }) {
    const results = choices
      .filter(({ name }) => only === undefined || name.includes(String(only)))
      .map((choice) => {
        const seconds = SIZES.map((size) => secondsOf(choice, size * MILLION, Number(rounds)));
        const line = SIZES.map((size, i) => `${size} M ${(1000 * seconds[i]).toFixed(1)} ms`);
        console.log(`  ${choice.name}: ${line.join(', ')}`);
        const [first, last] = [seconds[0], seconds.at(-1)!];
        return beside(
          GROWTH,
          `${choice.name}, time a weight`,
          last / first / (SIZES.at(-1)! / SIZES[0]),
          'of that at 1 M',
        );
      });
    return Promise.resolve(results);
  },
} satisfies Benchmark;

function secondsOf({ weights, settings, byScores = false }: Choice, total: number, rounds: number): number {
  const rows = total / weights / COLUMNS;
  const length = rows * COLUMNS;
  const arenas = createArenas(Array.from({ length: weights }, () => arenaBytes(length)));
  const values = arenas.map((arena) => arena.float32(length));
  const places = values.map((_, i): SelectedWeight => {
    const view = matrixViewOf([rows, COLUMNS], 'kernel');
    return { view, gates: 1, unitsOf: `fc${i}` };
  });
  const selection = selectionOf(places, settings, 'mean');
  const times = Array.from({ length: rounds + 1 }, () => {
    for (const array of values) fillSmooth(array);
    const before = process.cpuUsage();
    if (selection.prune && !byScores) selection.prune(values, RATE);
    else selection.keep(values, RATE);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return median(times.slice(1));
}

let state = 1;

/** Numbers around 0, about normal: sums of two uniform ones. */
function fillSmooth(array: Float32Array): void {
  for (let i = 0; i < array.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    array[i] = (state >> 16) / 32_768 + ((state << 16) >> 16) / 32_768;
  }
}
