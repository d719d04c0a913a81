import { TextDocument } from 'vscode-languageserver-textdocument';
import { describe, expect, test } from 'vitest';
import { ExperimentDocument, type Surroundings } from '../../../../server/language/experimentDocument.ts';
import { prepareRename, rename } from '../../../../server/language/features/rename.ts';
import { UserError } from '../../../../server/protocol/userError.ts';
import { around, describeModel, openAt, pruneText, URI, withCompression } from './experiments.ts';

const MODEL = 'file:///home/user/project/model.ts';
const modelText = { uri: MODEL, text: "tf.layers.dense({ name: 'fc1' }); /* fc1 */ layers.dense({ name: `fc${i}` });" };
const marked = pruneText.replace('"fc1"', '"f|c1"');

function other(compression: string): ExperimentDocument {
  return new ExperimentDocument(
    TextDocument.create('file:///home/user/project/b.deeptwist.jsonc', 'jsonc', 1, compression),
  );
}

function renamed(text: string, newName: string, surroundings: Surroundings, others: ExperimentDocument[] = []) {
  const { document, position } = openAt(text);
  const { edit, globs } = rename(document, position, newName, surroundings, others);
  const texts = [document.text, ...others.map((one) => one.text), TextDocument.create(MODEL, '', 1, modelText.text)];
  const after = texts.map((one) => TextDocument.applyEdits(one, edit.changes?.[one.uri] ?? []));
  return { after, globs };
}

test('a layer gets its name in the code, here and in other experiments of the model; globs stay and are told', () => {
  const second = other(
    withCompression(
      '"method": "prune", "layers": { "fc1/kernel": { "rate": 0.5 }, "fc10": { "rate": 0.5 }, "*": { "rate": 0.1 } }',
    ),
  );
  const { after, globs } = renamed(marked, 'hidden', around({ modelText }), [second]);
  expect(after[0]).toBe(pruneText.replace('"fc1"', '"hidden"'));
  expect(after[1]).toBe(second.text.getText().replace('"fc1/kernel"', '"hidden/kernel"'));
  expect(after[2]).toBe(modelText.text.replace("'fc1'", "'hidden'"));
  expect(globs).toEqual([
    { uri: URI, key: 'fc*' },
    { uri: second.text.uri, key: '*' },
  ]);
});

test('a layer is renamed in what a sweep varies, in its keys and in its values', () => {
  const second = (name: string) =>
    withCompression(
      `"method": "prune", "distortEvery": 10, "layers": { "${name}": { "rate": 0.5 }, "fc2": { "rate": 0.5 } }`,
    ).replace(
      '"compression"',
      `"sweep": { "vary": {
        "compression.layers.${name}.rate": [0.8, 0.9],
        "compression.layers.${name}/kernel.rate": [0.8],
        "compression.layers.fc2.rate": [0.5],
        "compression.layers": [{ "${name}": { "rate": 0.7 } }, { "fc2": {}, "${name}/kernel": {} }],
        "compression": [{ "method": "prune", "layers": { "${name}": {}, "fc2": {} } }, [{ "layers": { "${name}": {} } }]],
        "training.seed": [1, 2]
      } }, "compression"`,
    );
  const { after, globs } = renamed(marked, 'hidden', around({ modelText }), [other(second('fc1'))]);
  expect(after[1]).toBe(second('hidden'));
  expect(globs).toEqual([{ uri: URI, key: 'fc*' }]);
  // A name that is to be in quotes, and the runs of a list.
  const list = (name: string) =>
    withCompression('"method": "prune", "layers": { "fc2": {} }').replace(
      '"compression"',
      `"sweep": { "type": "list", "runs": [{ "training.seed": 1 }, { ${JSON.stringify(`compression[0].layers${name}.rate`)}: 0.9, "compression.layers[\\"fc*\\"].rate": 0.1 }] }, "compression"`,
    );
  const run = renamed(marked, 'hidden.1', around({ modelText }), [other(list('.fc1'))]);
  expect(run.after[1]).toBe(list('["hidden.1"]'));
  expect(run.globs.map(({ key }) => key)).toEqual(['fc*', 'compression.layers["fc*"].rate']);
});

test('a layer is renamed where weights to start from get its name', () => {
  const starting = (name: string, more = '') =>
    withCompression('"method": "prune", "layers": { "fc2": { "rate": 0.5 } }').replace(
      '"compression"',
      `"start": { "from": "./net.pt", "rename": { "classifier.0.*": "${name}.*", "fc1": "${name}/kernel", "x.*": null, "fc1.*": "fc10.*"${more} } }, "compression"`,
    );
  const text = other(starting('fc1'));
  const { after, globs } = renamed(marked, 'hidden', around({ modelText }), [text]);
  expect(after[1]).toBe(starting('hidden'));
  expect(globs).toEqual([{ uri: URI, key: 'fc*' }]);
  const stars = other(starting('fc1', ', "y.*": "fc*.*", "z.*": "*", "w": "FC1.weight"'));
  const patterns = renamed(marked, 'hidden', around({ modelText }), [stars]).globs.map(({ key }) => key);
  expect(patterns).toEqual(['fc*', 'fc*.*', '*', 'FC1.weight']);
});

test('a layer that is an output is renamed in what the file has for each output', () => {
  const model = { ...around().model!, outputs: [{ name: 'fc1', shape: [null, 10], activation: 'other' as const }] };
  const text = (name: string) =>
    pruneText
      .replace('"batchSize"', `"loss": { "${name}": "meanSquaredError", "fc2": "meanSquaredError" }, "batchSize"`)
      .replace('"fc1"', `"${name}"`);
  const { after } = renamed(
    text('fc1').replace('"fc1": { "rate"', '"f|c1": { "rate"'),
    'hidden',
    around({ model, modelText }),
  );
  expect(after[0]).toBe(text('hidden').replace('"fc1"', '"hidden"'));
});

test('of a layer in another one, its own name is renamed', () => {
  const model = describeModel({ 'softmax/logits': { weights: { kernel: [2, 2] } } });
  const text = "layers.timeDistributed({ name: 'softmax', layer: layers.dense({ name: 'logits' }) })";
  const { document, position } = openAt(
    withCompression('"method": "prune", "layers": { "softmax/lo|gits/kernel": {} }'),
  );
  const surroundings = around({ model, modelText: { uri: MODEL, text } });
  const prepared = prepareRename(document, position, surroundings);
  expect(prepared && [document.text.getText(prepared.range), prepared.placeholder]).toEqual(['logits', 'logits']);
  const { edit } = rename(document, position, 'words', surroundings, []);
  expect(edit.changes?.[URI].map(({ newText }) => newText)).toEqual(['"softmax/words/kernel"']);
});

describe('what can be renamed', () => {
  test.each([
    [marked, 'fc1'],
    [pruneText.replace('"fc*"', '"f|c*"'), undefined],
    [pruneText.replace('"fc1"', '"f|c9"'), undefined],
    [pruneText.replace('0.98', '0.|98'), undefined],
    [pruneText.replace('"method"', '"met|hod"'), undefined],
  ])('%#', (text, name) => {
    const { document, position } = openAt(text);
    expect(prepareRename(document, position, around({ modelText }))?.placeholder).toBe(name);
  });

  test('a name that no code of the user has is refused before a new one is typed', () => {
    const { document, position } = openAt(marked);
    expect(() => prepareRename(document, position, around())).toThrow('The layer fc1 is not named in a file of yours.');
  });
});

describe('errors of use', () => {
  const fc2 = withCompression('"method": "prune", "layers": { "f|c2": { "rate": 0.9 } }');
  test.each([
    [
      'no layer',
      pruneText.replace('0.98', '0.|98'),
      'x',
      around({ modelText }),
      'There is no layer of the model here.',
    ],
    ['built in', marked, 'x', around(), 'The layer fc1 is not named in a file of yours.'],
    ['a computed name', fc2, 'x', around({ modelText }), /fc2 is not written in the code.*computed/],
    ['a name that is taken', marked, 'fc2', around({ modelText }), 'The model has a layer fc2 already.'],
    ['a glob', marked, 'fc*', around({ modelText }), '"fc*" cannot be the name of a layer.'],
    ['a path', marked, 'a/b', around({ modelText }), '"a/b" cannot be the name of a layer.'],
    ['nothing', marked, '', around({ modelText }), '"" cannot be the name of a layer.'],
  ])('%s', (_, text, name, surroundings, message) => {
    const { document, position } = openAt(text);
    const act = () => rename(document, position, name, surroundings, []);
    expect(act).toThrow(UserError);
    expect(act).toThrow(message);
  });
});
