/**
 * @file How many training samples each class has, where only reading all targets tells: for weights of classes that are `balanced`. A run
 * keeps the numbers, so that it goes on with the same weights.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import type { Dataset, Elements, OpenOptions } from '../data/dataset.ts';
import type { LoadedModel } from '../models/loadModel.ts';
import { isClassLoss, lossFacts } from '../protocol/experiment/lossFacts.ts';
import type { TrainingConfig } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import type { SettingPath } from '../protocol/experiment/settingPath.ts';
import { elementCount } from '../protocol/shape.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';
import { chooseLoss } from './objective/dataLoss.ts';
import { readKept } from './readKept.ts';

const FILE = 'classCounts.json';

const countsSchema = z.array(z.array(z.int().min(0)));

/** Samples of each class, for each target; none for a target whose samples are not counted here. */
export type ClassCounts = z.output<typeof countsSchema>;

export interface CountOptions extends OpenOptions {
  /** False where the model is not trained, and any weights do. */
  readonly trains: boolean;
  /** The run that goes on, which has the numbers that it began with. */
  readonly run: Run | undefined;
}

/** A target of the data set whose classes are counted. */
interface Counted {
  readonly target: number;
  readonly classes: number;
  /** True where a class is the largest of as many numbers, false where it is a label. */
  readonly isOneHot: boolean;
  /** The setting that asks for it. */
  readonly path: SettingPath;
}

/**
 * @returns undefined where no weights are balanced, or the data tell the numbers as they are
 * @throws SettingError where the data have no end
 */
export async function countClasses(
  dataset: Dataset,
  loaded: LoadedModel,
  training: TrainingConfig,
  options: CountOptions,
): Promise<ClassCounts | undefined> {
  const counted = uncounted(dataset, loaded, training);
  if (counted.length === 0) return undefined;
  const known = options.run && (await keptIn(options.run));
  if (known) return known;
  const counts: ClassCounts = dataset.targets.map(() => []);
  for (const { target, classes } of counted) counts[target] = new Array<number>(classes).fill(options.trains ? 0 : 1);
  if (options.trains) await countTargets(dataset, counted, counts, options);
  return counts;
}

/** Targets whose weights are balanced, and whose samples the data do not count. */
function uncounted(dataset: Dataset, loaded: LoadedModel, training: TrainingConfig): Counted[] {
  if (!asksForBalance(training)) return [];
  const { outputs = [] } = chooseLoss(loaded, training, dataset);
  return outputs.flatMap(({ id, output, classWeights }, target): Counted[] => {
    const classes = loaded.model.outputs[output].shape.at(-1) ?? undefined;
    if (classWeights?.value !== 'balanced' || !isClassLoss(id) || classes === undefined) return [];
    if (dataset.countLabels?.(classes, target) !== undefined) return [];
    return [{ target, classes, isOneHot: lossFacts[id].targets === 'one-hot', path: classWeights.path }];
  });
}

function asksForBalance({ classWeights, loss }: TrainingConfig): boolean {
  const own = typeof loss === 'string' ? [] : Object.values(loss);
  return classWeights === 'balanced' || own.some((one) => typeof one !== 'string' && one.classWeights === 'balanced');
}

/** Samples that are read at a time. */
const AT_ONCE = 256;
/** Milliseconds after which progress is told and other work of the process gets its turn. */
const TURN = 100;

/** Adds all training samples to the numbers. @throws SettingError where the data have no end */
async function countTargets(
  { train, targets: specs }: Dataset,
  counted: readonly Counted[],
  counts: ClassCounts,
  { signal, onDecoded }: CountOptions,
): Promise<void> {
  const total = train.samples;
  if (total === undefined)
    throw new SettingError(
      counted[0].path,
      '"balanced" counts the samples of each class, and how many samples there are is unknown',
      {
        remedy:
          'Export the number from the data module, samples = { train: 50000 }, or write a number for each class: { "0": 1, "1": 2.5 }.',
      },
    );
  let done = 0;
  let turn = Date.now();
  for await (const { size, targets } of train.targets?.(AT_ONCE) ?? train.batches(AT_ONCE)) {
    // A data module may give more samples in an epoch than it has told: those are not counted.
    const samples = Math.min(size, total - done);
    for (const one of counted) {
      const labels = targets[one.target].subarray(0, samples * elementCount(specs[one.target].shape));
      addLabels(labels, one, counts[one.target]);
    }
    done += samples;
    if (done >= total) break;
    if (Date.now() - turn < TURN) continue;
    onDecoded?.({ what: 'labels', done, total });
    await setImmediate();
    signal?.throwIfAborted();
    turn = Date.now();
  }
}

/** Labels that are no class, such as padding, count for none. */
function addLabels(targets: Elements, { classes, isOneHot }: Counted, counts: number[]): void {
  const add = (target: number) => {
    const label = Math.trunc(target);
    if (label >= 0 && label < classes) counts[label]++;
  };
  if (!isOneHot) return targets.forEach(add);
  for (let begin = 0; begin < targets.length; begin += classes) {
    const row = targets.subarray(begin, begin + classes);
    add(row.indexOf(Math.max(...row)));
  }
}

/** The data set with the numbers. */
export function withClassCounts(dataset: Dataset, counts: ClassCounts | undefined): Dataset {
  if (!counts) return dataset;
  const { countLabels } = dataset;
  return {
    ...dataset,
    countLabels: (classes, target) => countLabels?.(classes, target) ?? counts[target]?.slice(0, classes),
  };
}

/** Writes the numbers into a run that has none. */
export async function keepClassCounts(run: Run, counts: ClassCounts | undefined): Promise<void> {
  if (!counts || (await keptIn(run))) return;
  await writeAtomically(join(run.path, FILE), `${JSON.stringify(counts)}\n`);
}

/** Undefined where the run has none, or a damaged file: they are counted again. */
async function keptIn(run: Run): Promise<ClassCounts | undefined> {
  const text = await readKept(run, FILE);
  try {
    return text === undefined ? undefined : countsSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
