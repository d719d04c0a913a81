import { expect, test } from 'vitest';
import { complete } from '../../../../server/language/features/completion.ts';
import { hover } from '../../../../server/language/features/hover.ts';
import { inlayHints } from '../../../../server/language/features/inlayHints.ts';
import { findingsOf } from '../../../../server/language/findings/index.ts';
import { around, describeModel, open, openAt } from './experiments.ts';

function experiment(compression: string, training = '"optimizer": { "type": "sgd", "learningRate": 0.02 }'): string {
  return `{
  "model": "./model.ts",
  "data": { "type": "mnist", "path": "./data/mnist" },
  "training": { ${training}, "batchSize": 50, "epochs": 10 },
  "compression": {
${compression}
  }
}
`;
}

const nuclear = (settings = '') =>
  experiment(`    "method": "nuclear-norm",${settings}\n    "layers": {\n      "fc1": { "tau": 5 }\n    }`);

function labelsOf(text: string): string[] {
  const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
  return inlayHints(open(text), range, around()).map(({ label }) => label as string);
}

test.each([
  ['nuclear-norm', 'tau'],
  ['group-lasso', 'lambda'],
])('values of %s are proposed without a size, which only training tells', (method, parameter) => {
  const compression = `"method": "${method}", "layers": { "fc1": { "${parameter}": | } }`;
  const { document, position } = openAt(experiment(compression));
  const proposed = complete(document, position, around());
  expect(proposed.length).toBeGreaterThan(2);
  expect(proposed.map(({ detail }) => detail ?? '').join()).not.toMatch(/smaller|numbers/);
});

test('a strength says what it cuts, by the learning rate that training begins with', () => {
  expect(labelsOf(nuclear())).toContain('→ cuts 0.1 from each singular value');
  expect(labelsOf(nuclear('\n    "threshold": "tau",'))).toContain('→ cuts 5 from each singular value');
  const groups = (layer: string) => experiment(`    "method": "group-lasso",\n    "layers": { "fc1": ${layer} }`);
  expect(labelsOf(groups('{ "lambda": 0.5 }'))).toContain("→ cuts 0.01 √P from each unit's norm");
  expect(labelsOf(groups('{ "lambda": 0.5, "alpha": 0.2 }'))).toContain(
    "→ cuts 0.008 √P from each unit's norm, 0.002 from each number",
  );
});

test('no size is predicted of what only training finds, and nothing is cut where no rate is known', () => {
  expect(labelsOf(nuclear()).join()).not.toMatch(/kB|smaller|kept/);
  const withoutRate = nuclear().replace('"learningRate": 0.02', '"momentum": 0.9');
  expect(labelsOf(withoutRate).join()).not.toContain('cuts');
});

test('proximal steps are counted by the epochs of their default', () => {
  expect(labelsOf(nuclear('\n    "distortEvery": 2,'))).toContain('→ 2,400 steps, 5 distortions');
});

test('weights that the method cannot take are marked, with the reason', () => {
  const model = describeModel({
    dw: { layerClass: 'DepthwiseConv2D', weights: { depthwise_kernel: [3, 3, 8, 1], bias: [8] } },
    words: { layerClass: 'Embedding', weights: { embeddings: [100, 8] } },
  });
  const findings = (method: string, parameters: string) =>
    findingsOf(
      open(experiment(`    "method": "${method}",\n    "layers": { "dw": ${parameters}, "words": ${parameters} }`)),
      around({ model }),
    ).map(({ code, message }) => `${code} ${/^.*? cannot take/.exec(message)?.[0]}`);
  expect(findings('nuclear-norm', '{ "tau": 1 }')).toEqual([
    'cannot-take compression.layers.dw: names dw/depthwise_kernel, which "nuclear-norm" cannot take',
  ]);
  expect(findings('group-lasso', '{ "lambda": 1 }')).toEqual([
    'cannot-take compression.layers.dw: names dw/depthwise_kernel, which "group-lasso" cannot take',
    'cannot-take compression.layers.words: names words/embeddings, which "group-lasso" cannot take',
  ]);
});

test.each([
  ['"nuclear-norm"', 'Alvarez & Salzmann 2017'],
  ['"tau"', 'max(s - learning rate x tau, 0)'],
])('the hover of %s has the formula and the paper', (place, text) => {
  const document = open(nuclear());
  const position = document.text.positionAt(document.text.getText().indexOf(place) + 2);
  expect(JSON.stringify(hover(document, position, around())?.contents)).toContain(text);
});
