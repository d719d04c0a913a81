/**
 * @file What each pass of the compiler gives in a training step of the LSTM language models: our step beside itself with one
 * pass left out.
 */
import { passes, type PassName } from '../../server/compiler/optimize.ts';
import type { Benchmark, Case } from './bench.ts';
import { models, optionsOf, settingsOf } from './languageModels.ts';
import { startOurs } from './ours.ts';

const ofLanguageModels = (Object.keys(passes) as PassName[]).filter((name) => name !== 'tile-pooling');
const parts = [...ofLanguageModels, 'row-gradients'] as const;

export default {
  options: {
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string', default: '2,1' },
    model: { type: 'string' },
    /** Those to leave out, one at a time, separated by commas. */
    pass: { type: 'string', default: parts.join() },
  },
  cases(options) {
    const chosen = parts.filter((part) => String(options.pass).split(',').includes(part));
    return Object.entries(models)
      .filter(([name]) => options.model === undefined || options.model === name)
      .flatMap(([name, model]) =>
        settingsOf(name, model, String(options.threads), { dropout: false }).map((setting): Case => {
          const { steps } = model;
          const all = optionsOf(setting);
          return {
            ...{ name, threads: setting.threads, unit: 'ms/step', better: 'lower', target: 0 },
            rounds: Number(options.rounds),
            ours: () => startOurs(all, { steps }),
            rivals: chosen.map(
              (part) => () => startOurs({ ...all, without: [part] }, { steps, name: `without ${part}` }),
            ),
          };
        }),
      );
  },
} satisfies Benchmark;
