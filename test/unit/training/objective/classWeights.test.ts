import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { losses, weightedLoss } from '../../../../server/models/losses.ts';
import { classLosses } from '../../../../server/protocol/experiment/lossFacts.ts';
import { classWeightsOf } from '../../../../server/training/objective/classWeights.ts';
import { userErrorOf } from '../../userErrorOf.ts';
import { eventsOf, finalWeights, workspace } from '../workspace.ts';

beforeAll(() => tf.setBackend('cpu').then(() => undefined));

describe('the weight of a class', () => {
  const at = { target: 0, path: ['training', 'classWeights'] };
  const countLabels = () => [90, 0, 9, 1];

  test('balanced is that of scikit-learn: 100 / (3 * count)', () => {
    const weights = classWeightsOf('balanced', { countLabels }, 5, at);
    expect(weights).toEqual([100 / 270, 1, 100 / 27, 100 / 3, 1]);
  });

  test('is written by the name of the class, or by its label where classes have no names', () => {
    expect(classWeightsOf({ dog: 3 }, { classes: ['cat', 'dog'] }, 2, at)).toEqual([1, 3]);
    expect(classWeightsOf({ '2': 0 }, {}, 3, at)).toEqual([1, 1, 0]);
  });

  test.each([
    [
      'balanced' as const,
      {},
      'training.classWeights: "balanced" counts the samples of each class, which these data do not tell',
    ],
    [
      { dgo: 1 },
      { classes: ['cat', 'dog'] },
      "training.classWeights.dgo: there is no class of this name; did you mean 'dog'?",
    ],
    [{ '3': 1 }, {}, 'training.classWeights.3: there is no class of this name; there are 0, 1, 2'],
  ])('%j is refused where there is no such class', async (setting, data, message) => {
    expect((await userErrorOf(() => classWeightsOf(setting, data, 3, at))).message).toBe(message);
  });
});

test.each(classLosses)('%s: the mean over the batch of the losses of single samples, each times its weight', (id) => {
  const [weights, labels] = [
    [1, 0.25, 8],
    [2, 0, 1, 2],
  ];
  const outputs = tf.softmax(tf.randomNormal([4, 3], 0, 1, 'float32', 5));
  const targets =
    id === 'categorical-crossentropy' ? tf.oneHot(tf.tensor1d(labels, 'int32'), 3) : tf.tensor1d(labels, 'int32');
  const each = labels.map(
    (label, i) => weights[label] * losses[id](tf.slice(targets, i, 1), tf.slice(outputs, i, 1)).dataSync()[0],
  );
  const mean = each.reduce((a, b) => a + b) / 4;
  // float32: sums of a few terms.
  expect(weightedLoss(id, weights)(targets, outputs).dataSync()[0]).toBeCloseTo(mean, 5);
});

describe('a training', () => {
  const table = `x,kind\n${Array.from({ length: 200 }, (_, i) => `${i % 20},${i % 20 === 0 ? 'rare' : 'usual'}`).join('\n')}\n`;
  const model = `
    import * as tf from '@tensorflow/tfjs';
    export const createModel = ({ inputShape, classes }) => tf.sequential({ layers: [
      tf.layers.dense({ name: 'logits', units: classes, inputShape, kernelInitializer: 'zeros' }),
    ] });`;
  const made = async (training: Record<string, unknown>) => {
    const own = await workspace({
      model,
      data: { type: 'table', path: 'table.csv', target: 'kind' },
      training: {
        optimizer: { type: 'sgd', learningRate: 0.5 },
        loss: 'sparse-categorical-crossentropy-from-logits',
        batchSize: 40,
        steps: 40,
        ...training,
      },
    });
    await own.write('table.csv', table);
    return own.run();
  };

  test.each(['compiled', 'eager'])('counts samples by their classes, %s', async (executor) => {
    const bias = async (classWeights: unknown) => {
      const { run, events } = await made({ executor, ...(classWeights !== undefined && { classWeights }) });
      expect(eventsOf(events, 'finished')).toHaveLength(1);
      const [rare, usual] = finalWeights(run).get('logits/bias')!;
      return usual - rare;
    };
    const [plain, balanced, written] = [
      await bias(undefined),
      await bias('balanced'),
      await bias({ rare: 10, usual: 10 / 19 }),
    ];
    // Without weights the usual class is likelier, whatever x is.
    expect(balanced).toBeLessThan(plain - 0.5);
    // 160 samples: 8 rare, 152 usual.
    expect(written).toBeCloseTo(balanced, 4);
  });

  test('is refused where a class is not there', async () => {
    const { message } = await userErrorOf(() => made({ classWeights: { seldom: 2 } }));
    expect(message).toContain('training.classWeights.seldom: there is no class of this name; there are rare, usual');
  });

  test("is refused with a model's own loss", async () => {
    const own = await workspace({
      model: `${model}\nexport const loss = (targets, outputs) => tf.mean(outputs);`,
      data: { type: 'table', path: 'table.csv', target: 'kind' },
      training: { optimizer: { type: 'sgd', learningRate: 0.5 }, batchSize: 40, steps: 40, classWeights: 'balanced' },
    });
    await own.write('table.csv', table);
    const { message } = await userErrorOf(() => own.run());
    expect(message).toContain('training.classWeights: it is for a model of one output and a built-in loss of classes');
  });
});
