import { getNodePath, type Node } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { complete } from '../../../../server/language/features/completion.ts';
import { checkWithSweep } from '../../../../server/protocol/experiment/checkSweep.ts';
import { methodNames } from '../../../../server/protocol/experiment/methods/index.ts';
import { suitablePolicies } from '../../../../server/protocol/experiment/methods/policies.ts';
import type { Problem } from '../../../../server/protocol/experiment/problem.ts';
import type { Method } from '../../../../server/protocol/experiment/schema.ts';
import { formatSettingPath, isWithin, type SettingPath } from '../../../../server/protocol/experiment/settingPath.ts';
import { namesSettings } from '../../../../server/language/sweptSettings.ts';
import { applied, around, open } from './experiments.ts';

const data = [
  '{ "type": "mnist", "path": "./data" }',
  '{ "type": "images", "path": "./data" }',
  '{ "type": "images", "path": "./data", "labels": "./labels.csv", "split": { "test": 0.2 } }',
  '{ "type": "arrays", "train": { "x": "./x.npy", "y": "./y.npy" }, "split": { "test": 0.2 } }',
  '{ "type": "module", "module": "./model.ts" }',
  '{ "type": "text", "path": "./words.txt", "timeSteps": 20 }',
  '{ "type": "text", "files": { "train": "./words.txt", "test": "./more.txt" }, "timeSteps": 20, "vocabulary": {} }',
  '{ "type": "table", "path": "./pets.csv", "target": "kind" }',
];

const optimizers = ['sgd', 'adam', 'rmsprop', 'adagrad'].map((type) => `{ "type": "${type}", "learningRate": 0.001 }`);

/** Parameters of a layer, of each kind. */
const layers: Record<Method, readonly string[]> = {
  prune: ['{ "rate": 0.9 }', '{ "rate": 0.9, "pattern": "block", "block": [4, 4] }'],
  quantize: [
    '{ "bits": 2 }',
    ...['uniform', 'points', 'fixed-point', 'power-of-two'].map((levels) => `{ "levels": "${levels}", "bits": 4 }`),
  ],
  'low-rank': ['{ "rank": 4 }'],
  'nuclear-norm': ['{ "tau": 5 }'],
  'group-lasso': ['{ "lambda": 0.1 }'],
  custom: ['{}'],
};

function experiment(more: string, ofData = data[0], optimizer = optimizers[0]): string {
  return (
    `{ "model": "./model.ts", "data": ${ofData}, ` +
    `"training": { "optimizer": ${optimizer}, "batchSize": 50, "steps": 20000 }${more} }`
  );
}

const compressions = methodNames.flatMap((method) =>
  suitablePolicies(method).flatMap((policy) =>
    layers[method].map((layer) => {
      const own = method === 'custom' ? '"module": "./model.ts", ' : '';
      const layersOf = `"layers": { "fc1": ${policy === 'variational-dropout' ? '{}' : layer} }`;
      return `, "compression": { "method": "${method}", "policy": "${policy}", "distortEvery": 10, ${own}${layersOf}, "schedule": {} }`;
    }),
  ),
);

const texts = [
  ...data.map((one) => experiment('', one)),
  ...optimizers.map((one) => experiment('', data[0], one)),
  ...compressions.map((one) => experiment(one)),
  experiment(`${compressions[0]}, "target": { "maxDrop": 0.005 }`),
  experiment(', "sweep": { "vary": { "training.seed": [1, 2] } }'),
  experiment(`${compressions[0]}, "sweep": { "vary": { "training.seed": [1, 2] } }`),
  experiment(', "sweep": { "type": "list", "runs": [{ "training.seed": 1 }] }'),
  experiment(', "sweep": { "type": "random", "runs": 3, "vary": { "training.seed": [1, 2] } }'),
];

/** The places where objects begin, within a value of the text. */
function objectsWithin(text: string, path: SettingPath): Node[] {
  const objects = (node: Node): Node[] => [
    ...(node.type === 'object' && isWithin(getNodePath(node), path) ? [node] : []),
    ...(node.children ?? []).flatMap(objects),
  ];
  const { root } = open(text).json;
  return root ? objects(root) : [];
}

/** What a place to type in is told until something stands there. */
function isToBeTyped({ code, message }: Problem): boolean {
  return code === 'missing-setting' || (code === 'wrong-value' && message.endsWith('got ""'));
}

/** Settings whose first value does not fit every value of another: what is told names that one. */
const depends = [
  'data.labels: one file of labels is for all images; set "split"',
  'points: expected 9 to 16 with 4 bits, got 3',
];

const tried = new Set<string>();

/** Problems that completions of keys make, in the objects within a value and in those that they insert. */
function problemsMade(text: string, path: SettingPath): string[] {
  const key = ({ code, path: place, message }: Problem) => `${code} ${place}: ${message}`;
  const known = new Set(checkWithSweep(text).problems.map(key));
  const document = open(text);
  return objectsWithin(text, path).flatMap((object) => {
    const place = getNodePath(object);
    return complete(document, document.text.positionAt(object.offset + 1), around()).flatMap((item): string[] => {
      const after = applied(document, item);
      const made = checkWithSweep(after).problems.filter(
        (problem) => !known.has(key(problem)) && !isToBeTyped(problem),
      );
      // The sections of a file are written in any order and need not fit yet, and so are the settings that a sweep varies together.
      const isAlone = place.length === 0 || namesSettings(place);
      const found = isAlone ? made.filter(({ code }) => code !== 'combination' && code !== 'unfit') : made;
      const inserted = [...place, item.label];
      const isNew = !tried.has(`${formatSettingPath(inserted)} ${item.textEdit?.newText}`);
      tried.add(`${formatSettingPath(inserted)} ${item.textEdit?.newText}`);
      return [
        ...found
          .filter((problem) => !depends.some((text) => key(problem).includes(text)))
          .map((problem) => `${item.textEdit?.newText} in ${formatSettingPath(place)}: ${key(problem)}`),
        ...(isNew && made.length === 0 ? problemsMade(after, inserted) : []),
      ];
    });
  });
}

test.each(texts)('every key that completion offers can be there: %s', (text) => {
  expect(checkWithSweep(text).problems.filter(({ code }) => code === 'syntax')).toEqual([]);
  expect(problemsMade(text, [])).toEqual([]);
});
