import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOtherCode, layerAt, placeLayers, shareLeftOf } from '../../../../extension/weightsInCode/placedLayers.ts';
import { measuredWeight } from './editorFixture.ts';

const model = `export function createModel() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 300, name: 'fc1' })); // the first
  model.add(tf.layers.dropout({ rate: 0.5 }));
  model.add(
    tf.layers.dense({
      units: 100,
      name: 'fc2',
    }),
  );
  for (let i = 0; i < 2; i++) model.add(tf.layers.lstm({ name: \`lstm\${i}\`, units: 8 }));
  model.add(tf.layers.dense({ units: 10 }));
  return model;
}
`;
const weights = [
  measuredWeight('fc1/kernel'),
  measuredWeight('fc2/kernel'),
  measuredWeight('lstm0/kernel'),
  measuredWeight('lstm0/recurrent_kernel', [], { compressed: false }),
  measuredWeight('lstm1/kernel'),
  measuredWeight('dense_Dense4/kernel'),
  measuredWeight('elsewhere/kernel'),
];

const lineOf = (text: string, offset: number) => text.slice(0, offset).split('\n').length;
const linesIn = (text: string) =>
  placeLayers(text, weights).map(({ call, weights: own }) => [lineOf(text, call.start), own.map(({ name }) => name)]);

describe('the weights of a run in a text', () => {
  test('are at the lines of their layers, the compressed ones alone where there are such', () => {
    expect(linesIn(model)).toEqual([
      [3, ['fc1/kernel']],
      [6, ['fc2/kernel']],
      [11, ['lstm0/kernel', 'lstm1/kernel']],
      [12, ['dense_Dense4/kernel']],
    ]);
  });

  test('stay at their layers whatever is typed and deleted above', () => {
    const piece = fc.constantFrom(
      '\n',
      'x',
      ' ',
      '// tf.layers.dense({ name: "fc1" })\n',
      '/* é tf.layers.dense({ name: "fc2" }) */',
      "const url = 'http://fc1';\n",
      'f(1);\r\n',
      '"(";',
    );
    const edit = fc.record({ at: fc.nat(20), remove: fc.nat(2), insert: fc.array(piece, { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 10 }), (edits) => {
        const above: string[] = [];
        for (const { at, remove, insert } of edits) {
          above.splice(at, remove, ...insert);
          const typed = `${above.join('')}\n`;
          const shift = typed.split('\n').length - 1;
          expect(linesIn(typed + model)).toEqual(linesIn(model).map(([line, names]) => [Number(line) + shift, names]));
        }
      }),
    );
  });

  test('are found where the mouse is on the name of the function or of the layer, not on other options', () => {
    const layers = placeLayers(model, weights);
    const at = (text: string) => layerAt(layers, model.indexOf(text) + 1)?.weights[0].name;
    expect(at('dense({ units: 300')).toBe('fc1/kernel');
    expect(at('fc2')).toBe('fc2/kernel');
    expect(at('units: 300')).toBeUndefined();
    expect(at('return model')).toBeUndefined();
  });
});

test('what is left of several weights counts each by its bytes', () => {
  const half = measuredWeight('a/kernel', [], { size: { weightsKept: 100, bytesKept: 400 } });
  const whole = measuredWeight('b/kernel', [], { shape: [10, 60], size: { weightsKept: 600, bytesKept: 2400 } });
  expect(shareLeftOf([half, whole])).toBeCloseTo(0.875, 12);
  expect(shareLeftOf([half, measuredWeight('c/kernel')])).toBeUndefined();
  expect(shareLeftOf([])).toBeUndefined();
});

test.each([
  ['the same text', model, false],
  ['a comment', `// Mine.\n${model}`, false],
  ['another indentation', model.replaceAll('  ', '\t').replaceAll('\n', '\r\n'), false],
  ['a mark of the byte order', `\uFEFF${model}`, false],
  ['another number', model.replace('300', '301'), true],
  ['another line', `import './x.ts';\n${model}`, true],
])('%s is other code: %#', (_, text, other) => {
  expect(isOtherCode(text, model)).toBe(other);
});
