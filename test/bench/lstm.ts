/**
 * @file A whole training step (forward, backward, clipping by global norm, SGD) of the LSTM language models of Zaremba et al.
 * 2014: the built-in model and one of plain layers, compiled, against PyTorch, against our eager executor, and against the
 * ceiling: as many multiplications and additions in large matrix products. With --large, memory and time of the largest.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atBetterThreads, measureAll, type Benchmark, type Case, type Contender, type Comparison } from './bench.ts';
import { startNodeChild, type Answer, type ChildOptions } from './child.ts';
import {
  inWords,
  LAYERS,
  models,
  operationsOf,
  optionsOf,
  settingsOf,
  VOCABULARY,
  wordsOf,
  type Model,
  type Setting,
} from './languageModels.ts';
import { printShares, startOurs } from './ours.ts';
import { preparePython, startPython } from './python.ts';
import { cacheFolder } from './prepare.ts';

/** The model that is also trained by the eager executor; the other would take many minutes a step. */
const EAGER = '2x200';
/** What --large measures. */
const large: Model = {
  ...{ units: 1500, timeSteps: 35, initialRange: 0.04, clip: 10, dropout: 0.65, steps: 1 },
  targets: { torch: 1, ceiling: 0.75 },
};

const USERS_LAYERS = "compiled, user's layers";
const CEILING = 'ceiling';
/** The user's layers may be slower than the built-in ones by this. */
const LAYERS_TARGET = 1 / 1.1;

/** Rows and columns of the products that show the ceiling: their three matrices take 12 MiB. */
const CEILING_SIDE = 1024;

/** The example of a user's own model with as many units; it has no dropout. */
function plainLayers({ units }: Model): string {
  const source = readFileSync(join('examples', 'language-model', 'my-lstm.ts'), 'utf8');
  const file = join(cacheFolder('models'), `my-lstm-${units}.ts`);
  const sized = source.replace('const UNITS = 200;', `const UNITS = ${units};`);
  if (units !== 200 && sized === source) throw new Error('The number of units is not where it was in the example.');
  writeFileSync(file, sized);
  return file;
}

function startTorch(python: string, { model, threads, batches, dropout }: Setting, value?: ChildOptions['value']) {
  const { units, timeSteps, clip, steps } = model;
  return startPython(python, 'lstm.py', {
    name: 'PyTorch',
    options: {
      ...{ units, layers: LAYERS, words: VOCABULARY, dropout, clip, threads },
      ...{ batches: batches.file, count: batches.count, size: batches.size, time: timeSteps },
    },
    steps,
    value: value ?? inWords(model),
  });
}

/** As many operations as a step has, in large products, as if they were its words. */
function ceilings(python: string, { model, threads }: Setting): (() => Promise<Contender>)[] {
  const products = operationsOf(model) / (2 * CEILING_SIDE ** 3);
  const child = {
    steps: Math.max(2, Math.round(model.steps * products)),
    value: ({ millisecondsPerStep, ...rest }: Answer) =>
      inWords(model)({ ...rest, millisecondsPerStep: millisecondsPerStep * products }),
  };
  return [
    () =>
      startNodeChild({
        ...child,
        name: `${CEILING}, ONNX Runtime`,
        entry: join('test', 'bench', 'contenders', 'products.ts'),
        script: join(cacheFolder('.'), 'products.mjs'),
        arguments: [String(CEILING_SIDE), String(threads)],
      }),
    () =>
      startPython(python, 'products.py', {
        ...child,
        name: `${CEILING}, PyTorch`,
        options: { side: CEILING_SIDE, threads },
      }),
  ];
}

function caseOf(setting: Setting, python: string, rounds: number): Case {
  const { name, model, threads } = setting;
  const child = { steps: model.steps, value: inWords(model) };
  const options = optionsOf(setting);
  return {
    name,
    threads,
    unit: 'words/s',
    better: 'higher',
    target: 1,
    rounds,
    ours: () => startOurs(options, { ...child, name: 'compiled, built-in model' }),
    rivals: [
      ...(setting.dropout === 0
        ? [() => startOurs({ ...options, model: plainLayers(model) }, { ...child, name: USERS_LAYERS })]
        : []),
      () => startTorch(python, setting),
      ...ceilings(python, setting),
    ],
  };
}

/**
 * Against the eager executor, on the backend that a user without tfjs-node gets: the WebAssembly backend has no sum into
 * segments, which the gradient of an embedding is. It takes more than a minute a step: once is enough.
 */
function eagerCase(setting: Setting): Case {
  const { name, model, threads } = setting;
  const child = { steps: 1, value: inWords(model) };
  const options = optionsOf(setting);
  return {
    ...{ name, threads, unit: 'words/s', better: 'higher', target: 1, rounds: 1 },
    ours: () => startOurs(options, child),
    rivals: [() => startOurs({ ...options, executor: 'cpu' }, child)],
  };
}

/** A comparison with what is asked for: our layers as the rival of the user's, the ceiling in operations. */
function presented(result: Comparison, model: Model): Comparison {
  const { ours, theirs, rival, ratio } = result;
  if (rival === USERS_LAYERS) {
    return {
      ...{ ...result, case: `${result.case}, user's layers`, rival: 'built-in model' },
      ...{ ours: theirs, theirs: ours, ratio: 1 / ratio, target: LAYERS_TARGET },
    };
  }
  if (!rival.startsWith(CEILING))
    return rival.startsWith('PyTorch') ? { ...result, target: model.targets.torch } : result;
  const gigaflops = (words: number) => (words * operationsOf(model)) / wordsOf(model) / 1e9;
  const target = model.targets.ceiling;
  return { ...result, ours: gigaflops(ours), theirs: gigaflops(theirs), unit: 'GFLOP/s', target };
}

/** The speed of a step and the memory that training takes. */
function largeCases(setting: Setting, python: string): Case[] {
  const { model, threads, name } = setting;
  const common = { threads, target: 1, rounds: 1 };
  const compare = (value: NonNullable<ChildOptions['value']>) => ({
    ours: () => startOurs(optionsOf(setting), { steps: model.steps, value }),
    rivals: [() => startTorch(python, setting, value)],
  });
  return [
    { ...common, name, unit: 'words/s', better: 'higher', ...compare(inWords(model)) },
    {
      ...{ ...common, name: `${name}, peak memory`, unit: 'GiB', better: 'lower', target: 0 },
      ...compare(({ peakGiB }) => peakGiB ?? NaN),
    },
  ];
}

export default {
  options: {
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string', default: '2,1' },
    model: { type: 'string' },
    dropout: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    shares: { type: 'boolean', default: false },
    'without-eager': { type: 'boolean', default: false },
  },
  async run(options) {
    const python = preparePython();
    const rounds = Number(options.rounds);
    const settings = (name: string, model: Model) =>
      settingsOf(name, model, String(options.threads), { dropout: options.dropout === true });
    if (options.large) return measureAll(settings('2x1500', large).flatMap((setting) => largeCases(setting, python)));

    const results: Comparison[] = [];
    for (const [name, model] of Object.entries(models)) {
      if (options.model !== undefined && options.model !== name) continue;
      const chosen = settings(name, model);
      const measured = await measureAll(chosen.map((setting) => caseOf(setting, python, rounds)));
      const better = (rivals: string) => atBetterThreads(measured, { name, better: 'higher', target: 1 }, rivals);
      results.push(...[...measured, better('PyTorch'), better(CEILING)].map((result) => presented(result, model)));
      if (options.shares) for (const setting of chosen) await printShares(name, optionsOf(setting), 10 * model.steps);
      if (!options['without-eager'] && name === EAGER) results.push(...(await measureAll([eagerCase(chosen[0])])));
    }
    return results;
  },
} satisfies Benchmark;
