/**
 * @file The event file of a run that was stopped and went on, in the eyes of TensorBoard's own `EventAccumulator`: steps, values and
 * histograms beside what the run recorded. `--python PATH` names the interpreter.
 */
import { z } from 'zod';
import { ownTensorBoardFolder } from '../../server/tracking/tensorBoard.ts';
import { beside, type Benchmark } from './bench.ts';
import { askPython, checkPython } from './givenPython.ts';
import { differingPoints, loggedRun, pointsOf } from './loggedRun.ts';
import { cacheFolder } from './prepare.ts';

const point = z.tuple([z.number(), z.number()]);
const accumulated = z.object({
  version: z.string(),
  scalars: z.record(z.string(), z.array(point)),
  histograms: z.record(
    z.string(),
    z.array(z.tuple([z.number(), z.number(), z.array(z.number()), z.array(z.number())])),
  ),
  texts: z.array(z.string()),
  hparams: z.array(z.string()),
});

/** None may differ. */
const LIMIT = 0.5;

const benchmark: Benchmark = {
  options: { python: { type: 'string', default: 'python3' } },
  async run(options) {
    const python = String(options.python);
    checkPython(python, ['tensorboard']);
    const { run, events, scalars } = await loggedRun(cacheFolder('tensorboard'), { tensorBoard: true });
    const read = askPython(python, 'read_event_file.py', [ownTensorBoardFolder(run)], {
      answer: accumulated,
      refusal: 'TensorBoard cannot read the file',
    });
    const points = pointsOf(scalars);
    const recorded = events.flatMap((event) => (event.type === 'distortion' ? [event] : []));
    let histograms = 0;
    let differing = 0;
    for (const { step, weights } of recorded)
      for (const { name, histogram } of weights)
        for (const moment of ['before', 'after'] as const) {
          histograms++;
          const found = read.histograms[`weights/${name}/${moment}`]?.find(([own]) => own === step);
          const [, minimum, limits, counts] = found ?? [step, NaN, [], []];
          const isSame =
            minimum === histogram.minimum &&
            limits.at(-1) === histogram.maximum &&
            JSON.stringify(counts) === JSON.stringify(histogram[moment]);
          if (!isSame) differing++;
        }
    console.log(
      `  TensorBoard ${read.version}: ${points} points of ${scalars.size} scalars, ${histograms} histograms, texts ${read.texts.join(', ')}, ${read.hparams.join(', ')}`,
    );
    const missing =
      ['settings', 'experiment'].filter((tag) => !read.texts.includes(tag)).length + 2 - read.hparams.length;
    return [
      beside(LIMIT, `scalars that differ of ${points}`, differingPoints(scalars, read.scalars, Math.fround), 'points'),
      beside(LIMIT, `histograms that differ of ${histograms}`, differing, 'histograms'),
      beside(LIMIT, 'texts and sessions that are missing', missing, 'tags'),
    ];
  },
};

export default benchmark;
