/** @file What proximal steps cost beside training: the time of one on the weights of LeNet-5, as a share of an epoch of MNIST. */
import { Compressor } from '../../server/compression/compressor.ts';
import { planCompression } from '../../server/compression/plan.ts';
import { placedCompressions } from '../../server/protocol/experiment/compressions.ts';
import { parseExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { beside, median, type Limited } from './bench.ts';

/** In batches of 50. */
const STEPS_AN_EPOCH = 1200;
/** Largest share of the time that training takes, in %. */
const LIMIT = 1;
const ROUNDS = 11;

const nuclearNorm = { method: 'nuclear-norm', layers: { conv2: { tau: 20 }, fc1: { tau: 20 } } };
const groupLasso = {
  method: 'group-lasso',
  layers: { 'conv*': { lambda: 0.3, alpha: 0.2 }, fc1: { lambda: 0.4, alpha: 0.2 } },
};

const shapes = {
  'conv1/kernel': [5, 5, 1, 20],
  'conv1/bias': [20],
  'conv2/kernel': [5, 5, 20, 50],
  'conv2/bias': [50],
  'fc1/kernel': [800, 500],
  'fc1/bias': [500],
};

/** @param step milliseconds of a plain training step */
export async function proximalShares(step: number): Promise<Limited[]> {
  const shares: Limited[] = [];
  for (const [name, compression] of [
    ['nuclear norm', [nuclearNorm]],
    ['sparse group lasso', [groupLasso]],
    ['both', [nuclearNorm, groupLasso]],
  ] as const) {
    const milliseconds = await timeOfStep(compression);
    console.log(`  ${name}: ${milliseconds.toFixed(1)} ms a proximal step`);
    const share = (100 * milliseconds) / (step * STEPS_AN_EPOCH);
    shares.push(beside(LIMIT, `${name}, once an epoch, of training`, share, '%'));
  }
  return shares;
}

/** Each round begins with the same weights, of full rank: the longest step. */
async function timeOfStep(compression: readonly object[]): Promise<number> {
  const weights = Object.entries(shapes).map(([name, shape]) => {
    const [layer, weight] = name.split('/');
    const values = Float32Array.from({ length: elementCount(shape) }, () => (Math.random() - 0.5) / 10);
    return { name, layer, weight, shape, values };
  });
  const training = { optimizer: { type: 'sgd', learningRate: 0.02 }, batchSize: 50, epochs: 15 };
  const experiment = { model: 'builtin:lenet-5', data: { type: 'mnist', path: '.' }, training, compression };
  const settings = parseExperiment(JSON.stringify(experiment), { file: 'methods' });
  const run = { steps: 15 * STEPS_AN_EPOCH, seed: 1 };
  const compressor = new Compressor(planCompression(placedCompressions(settings), weights, run), weights);
  compressor.learningRate = 0.02;
  const before = weights.map(({ values }) => values.slice());
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    weights.forEach(({ values }, i) => values.set(before[i]));
    const begin = performance.now();
    await compressor.distort(1);
    // The first one compiles kernels and opens sessions.
    if (round > 0) times.push(performance.now() - begin);
  }
  return median(times);
}
