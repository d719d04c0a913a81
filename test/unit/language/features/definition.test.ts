import { describe, expect, test } from 'vitest';
import { definition } from '../../../../server/language/features/definition.ts';
import type { Surroundings } from '../../../../server/language/experimentDocument.ts';
import { around, describeModel, knownRun, openAt, pruneText } from './experiments.ts';

const modelText = {
  uri: 'file:///home/user/project/model.ts',
  text: `import * as tf from '@tensorflow/tfjs';
export function createModel() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ name: 'fc1', units: 300 }));
  for (const i of [2, 3]) model.add(tf.layers.dense({ name: \`fc\${i}\`, units: 10 }));
  return model;
}
`,
};

/** What the definitions of the place are: the lines of the model's text, or URIs. */
function found(marked: string, surroundings: Surroundings = around({ modelText })): string[] {
  const { document, position } = openAt(marked);
  return definition(document, position, surroundings).map(({ targetUri, targetSelectionRange: { start, end } }) => {
    if (targetUri !== modelText.uri || end.character === 0) return targetUri;
    const line = modelText.text.split('\n')[start.line];
    return `${start.line}: ${line.slice(start.character, end.character)}`;
  });
}

describe('a key of layers', () => {
  test('leads to the name of the layer in the code of the model', () => {
    expect(found(pruneText.replace('"fc1"', '"f|c1"'))).toEqual(['3: fc1']);
  });

  test('that is a glob leads to every call that makes a layer of it', () => {
    expect(found(pruneText.replace('"fc*"', '"fc|*"'))).toEqual(['3: fc1', '4: fc${i}']);
  });

  test('leads nowhere without the code, or for a layer that is not there', () => {
    expect(found(pruneText.replace('"fc1"', '"f|c1"'), around())).toEqual([]);
    expect(found(pruneText.replace('"fc1"', '"f|c9"'))).toEqual([]);
    const unnamed = describeModel({ other: { weights: { kernel: [2, 2] } } });
    expect(found(pruneText.replace('"fc1"', '"oth|er"'), around({ model: unnamed, modelText }))).toEqual([]);
  });
});

describe('a value', () => {
  test('that is a path leads to the file, and a folder nowhere', () => {
    expect(found(pruneText.replace('./model', './mo|del'))).toEqual(['file:///home/user/project/model.ts']);
    expect(found(pruneText.replace('./data/mnist', './da|ta/mnist'))).toEqual([]);
    expect(found(pruneText.replace('./model.ts', './mo|dels.ts'))).toEqual([]);
    expect(found('{ "model": "builtin:le|net-5" }')).toEqual([]);
  });

  test('that is one of two kinds of values leads to the file, too', () => {
    const there = around({ exists: (path) => path === './teacher.safetensors' });
    expect(found('{ "distillation": { "teacher": "./teac|her.safetensors" } }', there)).toEqual([
      'file:///home/user/project/teacher.safetensors',
    ]);
    expect(found('{ "distillation": { "teacher": { "model": "./mo|del.ts", "weights": "" } } }')).toEqual([
      'file:///home/user/project/model.ts',
    ]);
  });

  test('in an archive leads to the archive', () => {
    const there = around({ exists: (path) => path === './my data#1.npz' });
    const marked = '{ "data": { "type": "arrays", "train": { "inputs": "./my da|ta#1.npz:x" } } }';
    expect(found(marked, there)).toEqual(['file:///home/user/project/my%20data%231.npz']);
  });

  test('that is a run leads to the text of its experiment', () => {
    const runs = [
      knownRun('20261126-1-base', { name: 'base', state: 'failed' }),
      knownRun('20261125-1-base', { name: 'base' }),
    ];
    const at = (run: string) => found(`{ "start": "|${run}" }`, around({ others: runs }));
    const file = (id: string) => [`file:///home/user/project/.deeptwist/runs/${id}/experiment.deeptwist.jsonc`];
    expect(at('run:base')).toEqual(file('20261125-1-base'));
    const taught = (teacher: string) =>
      found(`{ "distillation": { "teacher": ${teacher} } }`, around({ others: runs }));
    expect(taught('"|run:base"')).toEqual(file('20261125-1-base'));
    expect(taught('{ "model": "builtin:lenet-5", "weights": "|run:base" }')).toEqual(file('20261125-1-base'));
    expect(at('run:20261126')).toEqual(file('20261126-1-base'));
    expect(at('run:2026')).toEqual([]);
    expect(at('run:none')).toEqual([]);
  });

  test('that is a number or half a string leads nowhere', () => {
    expect(found(pruneText.replace('20000', '200|00'))).toEqual([]);
    expect(found('{ "model": "./mo|del')).toEqual([]);
  });
});
