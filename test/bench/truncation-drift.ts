/**
 * @file What training does to a weight of low rank between two distortions, and how near the optimum a truncation comes that
 * starts from the last one's subspace: the figures behind the guard of `updateTruncation` and the refresh interval of the
 * compressor. Trains a language model on the Brown corpus; every distortion after the first goes on from the last subspace,
 * without a truncation from the start in between, so that what such a chain loses would add up.
 *
 * Before the first run: npm ci --prefix examples && node examples/language-model/prepare.js
 */
import { dirname, resolve } from 'node:path';
import { orthonormalizeRows } from '../../server/linalg/orthonormalize.ts';
import { defaultThreads, Products, type Matrix } from '../../server/linalg/products.ts';
import { singularValues } from '../../server/linalg/singularValues.ts';
import { coordinates, powerOf, projection, type Factors } from '../../server/linalg/shorterSide.ts';
import { reconstruct, truncate, type Truncation } from '../../server/linalg/truncate.ts';
import { updateTruncation } from '../../server/linalg/updateTruncation.ts';
import { initialProgress } from '../../server/training/checkpointState.ts';
import { TrainingControl } from '../../server/training/control.ts';
import { prepare } from '../../server/training/prepare.ts';
import { TrainingLoop } from '../../server/training/trainingLoop.ts';
import { storedMatrix } from '../../server/compression/targets/matrixView.ts';
import { loadExperiment } from '../../server/runs/loadExperiment.ts';
import type { Benchmark, Result } from './bench.ts';

const FILE = 'examples/language-model/small-pretrain.deeptwist.jsonc';
const EVERY = 100;
/** What a truncation may exceed the least error by, as a part of the norm. */
const TARGET = 1e-4;

/** What is measured of one weight at one distortion. Norms are Frobenius norms, `gains` and errors are parts of ||W||^2 and ||W||. */
interface Drift {
  readonly weight: string;
  readonly step: number;
  /** ||W - W_last|| / ||W_last||, W_last of the rank. */
  readonly change: number;
  /** s_(r+1) / s_r before the truncation. */
  readonly gap: number;
  /** Angles between the last subspace and the best one, in degrees: the largest, and the root of the mean square. */
  readonly largestAngle: number;
  readonly meanAngle: number;
  readonly leastError: number;
  /** Error beyond the least one after 0, 1, 2 and 3 power steps. */
  readonly excess: readonly number[];
  /** What `updateTruncation` did: its steps, 0 where it gave up, and what it exceeds the least error by, expected and true. */
  readonly update: { readonly steps: number; readonly expected: number; readonly excess: number };
}

interface Chain {
  /** W as the last distortion left it. */
  readonly last: Float32Array;
  /** That of its truncation. */
  readonly basis: Matrix;
}

const STEPS = 3;

/** Truncates a weight in place, from the last basis where there is one. */
async function distort(matrix: Matrix, rank: number, chain: Chain | undefined) {
  const { rows, columns } = matrix;
  const basisOf = ({ basis }: Pick<Truncation, 'basis'>): Matrix => ({
    data: basis,
    rows: rank,
    columns: Math.min(rows, columns),
  });
  const product = async (factors: Factors) => {
    const values = new Float32Array(matrix.data.length);
    await reconstruct(factors, rows, columns, values);
    return values;
  };
  const best = await truncate(matrix.data, rows, columns, rank);
  if (chain === undefined) {
    const last = await product(best);
    matrix.data.set(last);
    return { chain: { last, basis: basisOf(best) } };
  }

  const products = new Products(defaultThreads(rows, columns));
  const spectrum = await singularValues(matrix.data, rows, columns);
  const norm = normOf(matrix.data);
  const leastError = normOf(spectrum.subarray(rank)) / norm;
  const excessOf = (values: Float32Array) => distance(matrix.data, values) / norm - leastError;
  const excess: number[] = [];
  let basis = chain.basis;
  for (let step = 0; step <= STEPS; step++) {
    const part = await coordinates(matrix, basis, products);
    excess.push(excessOf(await product(projection(matrix, basis, part))));
    basis = await orthonormalizeRows(await powerOf(matrix, part, products), products);
  }
  const overlap = await products.multiplyRightTransposed(chain.basis, basisOf(best));
  const angles = (await singularValues(overlap.data, rank, rank)).map((cosine) => Math.acos(Math.min(1, cosine)));
  const updated = await updateTruncation(matrix.data, rows, columns, chain.basis.data);
  const last = await product(updated ?? best);
  const drift: Omit<Drift, 'weight' | 'step'> = {
    change: distance(matrix.data, chain.last) / normOf(chain.last),
    gap: spectrum[rank] / spectrum[rank - 1],
    largestAngle: degrees(angles[rank - 1]),
    meanAngle: degrees(normOf(angles) / Math.sqrt(rank)),
    leastError,
    excess,
    update: { steps: updated?.steps ?? 0, expected: updated?.expectedExcess ?? 0, excess: excessOf(last) },
  };
  matrix.data.set(last);
  return { chain: { last, basis: basisOf(updated ?? best) }, drift };
}

function normOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum);
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}
const degrees = (radians: number) => (radians * 180) / Math.PI;

export default {
  options: {
    model: { type: 'string', default: 'small' },
    rank: { type: 'string', default: '64' },
    distortions: { type: 'string', default: '12' },
    /** A run to start from, `run:NAME`. */
    start: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
  },
  async run({ model, rank, distortions, start, set }) {
    const count = Number(distortions);
    const compression = { method: 'low-rank', distortEvery: EVERY, layers: { 'lstm*': { rank: Number(rank) } } };
    const overrides = [
      `model=builtin:lstm-lm-${String(model)}`,
      ...(start === undefined ? [] : [`start=${String(start)}`]),
      `compression=${JSON.stringify(compression)}`,
      ...(set as string[]),
    ];
    const { experiment } = await loadExperiment(resolve(FILE), overrides);
    const prepared = await prepare(experiment, dirname(resolve(FILE)), {
      pretrained: start !== undefined,
      trains: true,
    });
    const chains = new Map<string, Chain>();
    const drifts: Drift[] = [];
    const enough = new AbortController();
    const compressor = prepared.compressor!;
    compressor.distort = async (step) => {
      for (const target of compressor.targets) {
        const { weight, view } = target;
        const { rank = 0 } = compressor.settingAt(target, step);
        const { chain, drift } = await distort(storedMatrix(weight.values, view), rank, chains.get(weight.name));
        chains.set(weight.name, chain);
        if (drift === undefined) continue;
        drifts.push({ weight: weight.name, step, ...drift });
        console.log(`  ${describe(drifts.at(-1)!)}`);
      }
      if (step / EVERY >= count) enough.abort();
      return [];
    };
    try {
      const loop = new TrainingLoop(prepared, 0, initialProgress, {
        record: (event) =>
          event.type === 'metrics' && console.log(`  step ${event.step}: loss ${event.loss.toFixed(3)}`),
        signal: enough.signal,
        control: new TrainingControl(),
        changes: { ask: () => Promise.reject(new Error('Nobody asks.')), applyAfter: () => [] },
        thin: () => Promise.reject(new Error('Nothing is thinned.')),
        checkpoint: () => Promise.resolve(''),
      });
      await loop.run();
    } finally {
      await prepared.dispose();
    }
    const result = (name: string, excessOf: (drift: Drift) => number): Result => {
      const worst = Math.max(...drifts.map(excessOf));
      return {
        case: `${String(model)}, rank ${String(rank)}, ${name}`,
        rival: 'target',
        threads: 2,
        ours: worst * 1e6,
        theirs: TARGET * 1e6,
        unit: 'ppm of the norm',
        ratio: TARGET / worst,
        target: 1,
      };
    };
    return [
      result('1 power step', ({ excess }) => excess[1]),
      result('2 power steps', ({ excess }) => excess[2]),
      result('update', ({ update }) => update.excess),
    ];
  },
} satisfies Benchmark;

function describe({ weight, step, change, gap, largestAngle, meanAngle, leastError, excess, update }: Drift): string {
  const short = (value: number) => value.toExponential(1);
  return (
    `${weight} at ${step}: change ${change.toFixed(4)}, s_r+1/s_r ${gap.toFixed(3)}, angles ${largestAngle.toFixed(1)} and ` +
    `${meanAngle.toFixed(1)} degrees, least error ${leastError.toFixed(4)}, excess ${excess.map(short).join(' ')}; ` +
    `update: ${update.steps} steps, expected ${short(update.expected)}, got ${short(update.excess)}`
  );
}
