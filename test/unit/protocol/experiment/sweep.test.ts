import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../../server/formats/random.ts';
import { overrideWith, parseOverride } from '../../../../server/protocol/experiment/overrides.ts';
import { checkCombinations, checkWithSweep } from '../../../../server/protocol/experiment/checkSweep.ts';
import { formatProblem } from '../../../../server/protocol/experiment/problem.ts';
import type { SweepConfig } from '../../../../server/protocol/experiment/schema.ts';
import { runCount, sweptRuns } from '../../../../server/protocol/experiment/sweptRuns.ts';

const RATE = 'compression.layers.fc1.rate';

/** An experiment with a sweep, which begins in line 12. */
function experimentWith(sweep: string): string {
  return `{
  "model": "builtin:lenet-300-100",
  "data": { "type": "mnist", "path": "./mnist" },
  "training": { "optimizer": { "type": "adam" }, "batchSize": 50, "steps": 2000 },
  "compression": {
    "method": "prune",
    "distortEvery": 10,
    "layers": {
      "fc1": { "rate": 0.9 }
    }
  },
  "sweep": ${sweep}
}`;
}

function problemsOf(sweep: string): string[] {
  return checkWithSweep(experimentWith(sweep)).problems.map((problem) => formatProblem('x', problem));
}

function sweepOf(sweep: string): SweepConfig {
  const { experiment, problems } = checkWithSweep(experimentWith(sweep));
  expect(problems).toEqual([]);
  return experiment!.sweep!;
}

function textsOf(sweep: SweepConfig, seed = 1): string[][] {
  const random = new Random(seed);
  return sweptRuns(sweep, () => random.uniform()).map((run) => run.map(({ override }) => override.text));
}

describe('a sweep', () => {
  test('over a grid has every value with every other, the last setting first', () => {
    const sweep = sweepOf(`{ "vary": { "${RATE}": [0.5, 0.9], "training.seed": [1, 2, 3] } }`);
    expect(sweep.type).toBe('grid');
    expect(textsOf(sweep)).toEqual(
      [0.5, 0.9].flatMap((rate) => [1, 2, 3].map((seed) => [`${RATE}=${rate}`, `training.seed=${seed}`])),
    );
    expect(runCount(sweep)).toBe(6);
  });

  test('over a list has the runs of the list, models and whole objects among them', () => {
    const sweep = sweepOf(`{ "type": "list", "runs": [
      { "model": "builtin:lenet-300-100", "training.seed": 4 },
      { "compression": null },
      { "training.optimizer": { "type": "sgd", "learningRate": 0.1 }, "training.optimizer.learningRate": 0.2 }
    ] }`);
    expect(textsOf(sweep)).toEqual([
      ['model=builtin:lenet-300-100', 'training.seed=4'],
      ['compression=null'],
      ['training.optimizer={"type":"sgd","learningRate":0.1}', 'training.optimizer.learningRate=0.2'],
    ]);
  });

  test('at random keeps to its bounds, gives the same for the same seed, and reaches every whole number', () => {
    const sweep = sweepOf(`{ "type": "random", "runs": 400, "vary": {
      "training.optimizer.learningRate": { "from": 1e-4, "to": 1e-1, "scale": "logarithmic" },
      "compression.distortEvery": { "from": 3, "to": 6, "integer": true },
      "${RATE}": { "from": 0.5, "to": 0.75 },
      "training.seed": [7, 8]
    } }`);
    const runs = textsOf(sweep);
    expect(textsOf(sweep)).toEqual(runs);
    expect(textsOf(sweep, 2)).not.toEqual(runs);
    const columns = [0, 1, 2, 3].map((i) => runs.map((run) => Number(run[i].split('=')[1])));
    // Each decade of three is as likely as the others: 133 of 400, five standard deviations are 47.
    const decades = columns[0].map((rate) => Math.floor(Math.log10(rate)));
    for (const decade of [-4, -3, -2])
      expect(Math.abs(decades.filter((own) => own === decade).length - 400 / 3)).toBeLessThan(47);
    expect(new Set(columns[1])).toEqual(new Set([3, 4, 5, 6]));
    expect(columns[2].every((rate) => rate >= 0.5 && rate <= 0.75)).toBe(true);
    expect(new Set(columns[3])).toEqual(new Set([7, 8]));
  });

  test('is checked in all its runs, each problem at its value', () => {
    expect(problemsOf(`{ "vary": { "${RATE}": [0.9, 1.2, "much"], "training.steps": [0] } }`)).toEqual([
      `x:12:61 sweep.vary["${RATE}"][1]: expected a number in [0, 1), got 1.2`,
      `x:12:66 sweep.vary["${RATE}"][2]: expected a number in [0, 1), got "much"`,
      'x:12:94 sweep.vary["training.steps"][0]: expected a positive integer, got 0',
    ]);
  });

  test.each([
    ['{ "vary": { "trainng.seed": [1] } }', 'sweep.vary["trainng.seed"]: trainng: unknown setting; did you mean "training"?'],
    ['{ "vary": { "compression.layers.fc1.rte": [1] } }', 'sweep.vary["compression.layers.fc1.rte"]: unknown setting; did you mean "rate"?'],
    ['{ "vary": { "training.seed": [1], "training[\\"seed\\"]": [2] } }', 'this is training.seed, which already exists; remove one of them'],
    ['{ "vary": { "sweep.runs": [1] } }', 'a sweep cannot vary itself'],
    ['{ "vary": { "training..seed": [1] } }', 'expected the name of a setting'],
    ['{ "vary": {} }', 'sweep.vary: expected at least one setting to vary'],
    ['{ "vary": { "training.seed": [] } }', 'sweep.vary["training.seed"]: expected a non-empty list, got an empty list'],
    ['{ "vary": { "model.layers": [1] } }', 'model is "builtin:lenet-300-100", which has no settings in it'],
    ['{ "vary": { "compression.method": ["quantize"] } }', 'sweep.vary["compression.method"][0]: compression.layers.fc1'],
    ['{ "vary": { "training.keepBest": [true] } }', 'sweep.vary["training.keepBest"][0]: a run that compresses while it trains'],
    ['{ "type": "list", "runs": [{}, { "training.seed": -1 }] }', 'sweep.runs[1]["training.seed"]: expected an integer of at least 0, got -1'],
    ['{ "type": "random", "runs": 0, "vary": { "training.seed": [1] } }', 'sweep.runs: expected an integer from 1 to 100000, got 0'],
    ['{ "type": "random", "runs": 2, "vary": { "training.seed": { "from": 3, "to": 3 } } }', 'sweep.vary["training.seed"].to: expected more than from (3), got 3'],
    [`{ "type": "random", "runs": 2, "vary": { "${RATE}": { "from": 0, "to": 0.5, "scale": "logarithmic" } } }`, 'expected a positive number, whose logarithm is taken, got 0'],
    ['{ "type": "random", "runs": 2, "vary": { "training.seed": { "from": 0.5, "to": 2, "integer": true } } }', 'from: expected an integer, got 0.5'],
    [`{ "type": "random", "runs": 2, "vary": { "${RATE}": { "from": 0.5, "to": 2 } } }`, `sweep.vary["${RATE}"].to: expected a number in [0, 1), got 2`],
    ['{ "type": "gird", "vary": {} }', "sweep.type: expected 'grid', 'list' or 'random'"],
    [`{ "vary": { "training.seed": [${Array.from({ length: 400 }, (_, i) => i)}], "training.steps": [${Array.from({ length: 400 }, (_, i) => i + 100)}] } }`, 'makes 160,000 runs: at most 100,000 are made'],
  ])('%s is refused', (sweep, message) => {
    const problems = problemsOf(sweep);
    expect(problems.join('\n')).toContain(message);
    expect(problems.every((problem) => /^x:1[2-4]:/.test(problem)), problems.join('\n')).toBe(true);
  }); // prettier-ignore

  test('is checked in each combination before it starts, which shows what no value alone does', () => {
    const text = experimentWith('{ "vary": { "compression.distortEvery": [10, 500], "training.steps": [1000, 100] } }');
    // Beside the first value of the other, each is right: 500 <= 1000, and 10 <= 100.
    const { experiment, problems } = checkWithSweep(text);
    expect(problems).toEqual([]);
    const found = checkCombinations(
      text,
      [],
      sweptRuns(experiment!.sweep!, () => 0),
    );
    expect(found.map((problem) => formatProblem('x', problem))).toEqual([
      'x:12:57 sweep.vary["compression.distortEvery"][1]: expected at most training.steps (100), got 500',
    ]);
  });
});

test('the text of an override is read as the same override', () => {
  const path = fc.array(fc.oneof(fc.string({ minLength: 1 }), fc.nat(9)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(path, fc.jsonValue(), (keys, value) => {
      const override = overrideWith(['a', ...keys], JSON.parse(JSON.stringify(value)));
      expect(parseOverride(override.text)).toEqual(override);
    }),
  );
});
