/**
 * @file Truncation to a rank beside LAPACK's whole decomposition (numpy, `gesdd`): from the start, and from the factors of
 * the last truncation after a drift of 1% of the norm, or of `--drift`. Prints how much the error exceeds the least one, per
 * spectrum. What weights drift in a training: truncation-drift.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Factors } from '../../server/linalg/shorterSide.ts';
import { singularValues } from '../../server/linalg/singularValues.ts';
import { reconstruct, truncate } from '../../server/linalg/truncate.ts';
import { updateTruncation } from '../../server/linalg/updateTruncation.ts';
import { Random } from '../../server/formats/random.ts';
import { type Benchmark, type Case, type Contender } from './bench.ts';
import { startChild } from './child.ts';
import { cacheFolder } from './prepare.ts';
import { prepareNumpy } from './python.ts';

const THREADS = 2;
type Spectrum = 'slow' | 'trained' | 'gaussian';

/** s_i = 1 / (1 + i / 50) with noise of spectral norm 0.02; 128 strong values above weak ones; pure Gaussian. */
async function matrixOf(spectrum: Spectrum, rows: number, columns: number): Promise<Float32Array> {
  const random = new Random(3);
  const gaussian = (count: number) => Float32Array.from({ length: count }, () => normal(random));
  const noise = gaussian(rows * columns);
  if (spectrum === 'gaussian') return noise;
  const strong = 128;
  const value = (i: number) => (spectrum === 'slow' ? 1 / (1 + i / 50) : (i < strong ? 3 : 0.1) / (1 + i / 50));
  const side = Math.min(rows, columns);
  const left = gaussian(rows * side);
  const right = gaussian(side * columns);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < side; i++) left[row * side + i] *= value(i) / Math.sqrt(rows * columns);
  const matrix = new Float32Array(rows * columns);
  await reconstruct({ left, right }, rows, columns, matrix);
  const scale = (spectrum === 'slow' ? 0.02 : 0.05) / (Math.sqrt(rows) + Math.sqrt(columns));
  return matrix.map((element, i) => element + scale * noise[i]);
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

/** The best approximation, and noise of that part of its norm. */
async function drifted(matrix: Float32Array, rows: number, columns: number, rank: number, drift: number) {
  const best = await truncate(matrix, rows, columns, rank);
  const truncated = new Float32Array(matrix.length);
  await reconstruct(best, rows, columns, truncated);
  const random = new Random(4);
  const size = (drift * Math.sqrt(squares(truncated))) / Math.sqrt(matrix.length);
  for (let i = 0; i < truncated.length; i++) truncated[i] += size * normal(random);
  return { matrix: truncated, basis: best.basis };
}

const squares = (values: ArrayLike<number>, from = 0) => {
  let sum = 0;
  for (let i = from; i < values.length; i++) sum += values[i] ** 2;
  return sum;
};

/** ||A - A_r|| beyond the least one, as a part of ||A||. */
async function excess(matrix: Float32Array, rows: number, columns: number, rank: number, factors: Factors) {
  const product = new Float32Array(matrix.length);
  await reconstruct(factors, rows, columns, product);
  const error = Math.sqrt(squares(matrix.map((element, i) => element - product[i])));
  const spectrum = await singularValues(matrix, rows, columns);
  return (error - Math.sqrt(squares(spectrum, rank))) / Math.sqrt(squares(matrix));
}

async function measured(name: string, description: Contender['description'], work: () => Promise<unknown>) {
  await work();
  return {
    name,
    description,
    async round() {
      // As numpy's process does, outside the time: data find their cache.
      await work();
      const start = performance.now();
      await work();
      return performance.now() - start;
    },
    close: () => Promise.resolve(),
  } satisfies Contender;
}

function casesOf(
  rows: number,
  columns: number,
  rank: number,
  rounds: number,
  { drift, cold, warm }: Record<'drift' | 'cold' | 'warm', number>,
) {
  const lapack = async () => {
    const file = join(cacheFolder('data'), `slow-${rows}x${columns}.bin`);
    writeFileSync(file, Buffer.from((await matrixOf('slow', rows, columns)).buffer));
    const options = { matrix: file, rows, columns, threads: THREADS };
    return startChild({
      name: 'numpy gesdd',
      command: prepareNumpy(),
      arguments: [
        join('test', 'bench', 'python', 'svd.py'),
        ...Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]),
      ],
      steps: 1,
    });
  };
  const common = { threads: THREADS, unit: 'ms', better: 'lower', rounds, rivals: [lapack] } as const;
  const name = `[${rows}, ${columns}] rank ${rank}`;
  return [
    {
      ...common,
      name: `${name}, from the start`,
      target: cold,
      async ours() {
        const description: Record<string, string> = {};
        for (const spectrum of ['slow', 'trained', 'gaussian'] as const) {
          const matrix = await matrixOf(spectrum, rows, columns);
          const best = await truncate(matrix, rows, columns, rank, { threads: THREADS });
          description[spectrum] = (await excess(matrix, rows, columns, rank, best)).toExponential(1);
        }
        const matrix = await matrixOf('slow', rows, columns);
        return measured('truncate', description, () => truncate(matrix, rows, columns, rank, { threads: THREADS }));
      },
    },
    {
      ...common,
      name: `${name}, from the last`,
      target: warm,
      async ours() {
        const description: Record<string, string> = {};
        for (const spectrum of ['slow', 'trained', 'gaussian'] as const) {
          const { matrix, basis } = await drifted(await matrixOf(spectrum, rows, columns), rows, columns, rank, drift);
          const updated = await updateTruncation(matrix, rows, columns, basis, { threads: THREADS });
          description[spectrum] = updated
            ? `${(await excess(matrix, rows, columns, rank, updated)).toExponential(1)} in ${updated.steps}`
            : 'gave up';
        }
        const { matrix, basis } = await drifted(await matrixOf('slow', rows, columns), rows, columns, rank, drift);
        return measured('update', description, () =>
          updateTruncation(matrix, rows, columns, basis, { threads: THREADS }),
        );
      },
    },
  ] satisfies Case[];
}

export default {
  options: {
    /** One of the two sizes alone. */
    rows: { type: 'string' },
    drift: { type: 'string', default: '0.01' },
  },
  cases(options) {
    const drift = Number(options.drift);
    const small = [
      ...casesOf(2600, 650, 128, 7, { drift, cold: 1 / 0.35, warm: 1 / 0.08 }),
      ...casesOf(2600, 650, 512, 7, { drift, cold: 1 / 0.35, warm: 1 / 0.3 }),
    ];
    const large = [
      ...casesOf(6000, 1500, 128, 3, { drift, cold: 1 / 0.35, warm: 1 / 0.08 }),
      ...casesOf(6000, 1500, 512, 3, { drift, cold: 1 / 0.35, warm: 1 / 0.3 }),
    ];
    return [...(options.rows === '6000' ? [] : small), ...(options.rows === '2600' ? [] : large)];
  },
} satisfies Benchmark;
