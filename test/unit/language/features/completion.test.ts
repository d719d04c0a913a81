import type { CompletionItem } from 'vscode-languageserver/node';
import { describe, expect, test } from 'vitest';
import type { Surroundings } from '../../../../server/language/experimentDocument.ts';
import { complete } from '../../../../server/language/features/completion.ts';
import { checkExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import { applied, around, describeModel, knownRun, lstm, openAt, pruneText, withCompression } from './experiments.ts';

function items(marked: string, surroundings: Surroundings = around()): CompletionItem[] {
  const { document, position } = openAt(marked);
  return complete(document, position, surroundings);
}

const labels = (marked: string, surroundings?: Surroundings) => items(marked, surroundings).map(({ label }) => label);

/** The text after an item was chosen and nothing else was typed in its places. */
function chosen(marked: string, label: string, surroundings: Surroundings = around()): string {
  const { document, position } = openAt(marked);
  const item = complete(document, position, surroundings).find((one) => one.label === label);
  if (!item) throw new Error(`There is no ${label} among ${labels(marked, surroundings).join(', ')}`);
  return applied(document, item);
}

const training = (inside: string) => `{ "model": "builtin:lenet-5", "training": { ${inside} } }`;

describe('keys', () => {
  test('of the file are those that are not there yet, in the order of the schema', () => {
    expect(labels('{ "model": "./model.ts",\n  |\n}').slice(0, 5)).toEqual([
      'start',
      'data',
      'training',
      'distillation',
      'compression',
    ]);
  });

  test('that stand for one that is there are not offered', () => {
    expect(labels(training('"steps": 100, |'))).not.toContain('epochs');
    expect(labels(training('"batchSize": 5, |'))).toEqual(expect.arrayContaining(['steps', 'epochs']));
  });

  test.each([
    ['{ "model": "a.ts", | }', 'observe', '{ "model": "a.ts", "observe": {  } }'],
    ['{ | "model": "a.ts" }', 'start', '{ "start": "", "model": "a.ts" }'],
    ['{ "model": "a.ts"\n  |\n}', 'start', '{ "model": "a.ts",\n  "start": ""\n}'],
    [training('bat|'), 'batchSize', training('"batchSize": 50')],
    [training('"bat|'), 'batchSize', '{ "model": "builtin:lenet-5", "training": { "batchSize": 50 } }'],
    [training('"bat|": 7'), 'batchSize', training('"batchSize": 7')],
    [training('"steps": 5, "bat|"'), 'batchSize', training('"steps": 5, "batchSize": 50')],
    [training('|'), 'optimizer', training('"optimizer": { "type": "adam", "learningRate": 0.001 }')],
    [training('|'), 'keepBest', training('"keepBest": false')],
    [training('|'), 'executor', training('"executor": "auto"')],
    [training('|'), 'device', training('"device": "cpu"')],
    [training('"device": |'), 'webgpu', training('"device": "webgpu"')],
    ['{ "model": "a.ts", | }', 'distillation', '{ "model": "a.ts", "distillation": { "teacher": "" } }'],
    [
      '{ "distillation": { "teacher": "run:a", | } }',
      'ask',
      '{ "distillation": { "teacher": "run:a", "ask": "always" } }',
    ],
    [training('"optimizer": { | }'), 'type: sgd', training('"optimizer": { "type": "sgd", "learningRate": 1 }')],
  ])('%s with %s', (marked, label, expected) => {
    expect(chosen(marked, label)).toBe(expected);
  });

  test('say what they mean, what can be written and the default', () => {
    const seed = items(training('|')).find(({ label }) => label === 'seed');
    expect(seed?.documentation).toMatchObject({ value: expect.stringMatching(/initial weights.*default: `1`/s) });
    const rate = items(withCompression('"method": "prune", "layers": { "fc1": { | } }'))[0];
    expect(rate.documentation).toMatchObject({ value: expect.stringContaining('p_f') });
  });

  test('of a layer are those of the method', () => {
    expect(labels(withCompression('"method": "quantize", "layers": { "fc1": { | } }'))).toEqual([
      'levels',
      'bits',
      'algorithm',
      'scales',
      'iterations',
    ]);
    expect(labels(withCompression('"method": "quantize", "layers": { "fc1": { "levels": "uniform", | } }'))).toEqual([
      'bits',
      'points',
      'bucket',
      'symmetric',
      'rounding',
    ]);
    expect(labels(withCompression('"method": "low-rank", "layers": { "fc1": { "rank": 3, | } }'))).toEqual([
      'sharedProjection',
    ]);
  });
});

describe('layers', () => {
  const marked = withCompression('"method": "prune", "distortEvery": 10, "layers": { "fc1": { "rate": 0.9 }, | }');

  test('are those of the model that have no key yet, then globs, then single weights', () => {
    expect(labels(marked)).toEqual(['fc2', 'fc3', 'fc*', '*', 'fc1/kernel', 'fc2/kernel', 'fc3/kernel']);
    const lstmKeys = labels(marked, around({ model: lstm }));
    expect(lstmKeys.slice(0, 6)).toEqual(['embedding', 'lstm1', 'lstm2', 'softmax', 'lstm*', '*']);
    expect(lstmKeys).toContain('lstm1/recurrent_kernel');
    expect(lstmKeys).not.toContain('lstm1/bias');
  });

  test('have their shapes, and come with the parameter of the method', () => {
    expect(items(marked)[0]).toMatchObject({ label: 'fc2', detail: '300 x 100 · 30,000 weights' });
    expect(chosen(marked, 'fc*')).toContain('"fc1": { "rate": 0.9 }, "fc*": { "rate": 0.9 } }');
    const lowRank = withCompression('"method": "low-rank", "layers": { | }');
    expect(chosen(lowRank, 'fc3')).toContain('{ "fc3": { "rank": 5 } }');
  });

  test('a kernel of a convolution gets a rank of its matrix', () => {
    const model = describeModel({ conv2: { layerClass: 'Conv2D', weights: { kernel: [5, 5, 20, 24] } } });
    const lowRank = withCompression('"method": "low-rank", "layers": { | }');
    // 500 x 24; half of its smallest axis would be 2.
    expect(chosen(lowRank, 'conv2', around({ model }))).toContain('{ "conv2": { "rank": 12 } }');
  });

  test('are not known without a model', () => {
    expect(labels(marked, around({ model: undefined }))).toEqual([]);
  });
});

describe('values', () => {
  test.each([
    [training('"lossReduction": |'), ['mean', 'sum-over-time']],
    [training('"keepBest": t|'), ['true', 'false']],
    [training('"optimizer": { "type": "ad|" }'), ['sgd', 'adam', 'rmsprop', 'adagrad']],
    [training('"optimizer": { "type": "adam|", "learningRate": 1 }'), ['sgd', 'adam', 'rmsprop', 'adagrad']],
    [training('"optimizer": |'), ['sgd', 'adam', 'rmsprop', 'adagrad']],
    [training('"seed": |'), ['1']],
    [
      withCompression('"method": "quantize", "layers": { "fc1": { "levels": "|" } }'),
      ['binary', 'uniform', 'points', 'fixed-point', 'power-of-two'],
    ],
    [
      withCompression('"method": "quantize", "layers": { "fc1": { "levels": "points", "bucket": | } }'),
      ['256', 'row', 'tensor', 'none'],
    ],
    [withCompression('"method": "prune", "policy": "|"').replace('\n  }\n}', ''), 10],
    ['{ "distillation": { "teacher": "run:base", "ask": | } }', ['always', 'when-wrong', 'by-entropy', '{ }']],
    ['{ "distillation": { "teacher": "run:base", "temperature": | } }', ['2']],
    [withCompression('"method": |'), ['prune', 'quantize', 'low-rank', 'nuclear-norm', 'group-lasso', 'custom']],
    [withCompression('"method": "prune", "scope": |'), ['layer', 'model']],
    [withCompression('"method": "prune", "criterion": |'), ['magnitude', 'movement', 'taylor']],
    [
      withCompression('"method": "prune", "layers": { "fc1": { "pattern": | } }'),
      ['element', 'block', 'unit', '2:4', '1:4'],
    ],
  ])('%s', (marked, expected) => {
    if (typeof expected === 'number') expect(labels(marked)).toHaveLength(expected);
    else expect(labels(marked)).toEqual(expected);
  });

  test('of a layer begin with what each kind of levels needs', () => {
    const marked = withCompression('"method": "quantize", "layers": { "fc1": | }');
    expect(chosen(marked, 'binary')).toContain('"fc1": { "bits": 2 }');
    expect(chosen(marked, 'uniform')).toContain('"fc1": { "levels": "uniform", "bits": 4 }');
    const inside = withCompression('"method": "quantize", "layers": { "fc1": { | } }');
    expect(chosen(inside, 'levels')).toContain('"fc1": { "levels": "binary" }');
  });

  test('replace what stands there, and get the comma that the next setting needs', () => {
    expect(chosen(training('"loss": |\n"steps": 5'), 'huber')).toBe(training('"loss": "huber",\n"steps": 5'));
    expect(chosen(training('"loss": "hu|", "steps": 5'), 'huber')).toBe(training('"loss": "huber", "steps": 5'));
  });

  test('of a layer tell what is left of its weights', () => {
    const rates = items(withCompression('"method": "prune", "layers": { "fc1": { "rate": | } }'));
    // fc1 has 784 x 300 weights; 98% of them are pruned: a bitmask would take 235,200 bits, gaps of 6 bits about 28,000.
    expect(rates.find(({ label }) => label === '0.98')?.detail).toMatch(
      /^4\d\.\dx smaller · 4,704 of 235,200 numbers$/,
    );
    const ranks = items(withCompression('"method": "low-rank", "layers": { "fc1": { "rank": | } }'));
    // 784 * 300 / (784 + 300) = 216.97 is where nothing is won.
    for (const { label, detail } of ranks)
      expect(detail).toContain(`${(235200 / (1084 * Number(label))).toPrecision(3)}x`);
    expect(ranks.length).toBeGreaterThan(3);
  });
});

describe('runs and files', () => {
  const known = around({
    others: [
      knownRun('20261126-101500-base', { name: 'base' }),
      knownRun('20261125-101500-base', { name: 'base' }),
      knownRun('20261124-101500-base', { name: 'base', state: 'failed' }),
    ],
  });

  test('a start is the newest run of an experiment, one of its runs, or a file of weights', () => {
    expect(labels('{ "start": | }', known)).toEqual([
      'run:base',
      'run:20261126-101500-base',
      'run:20261125-101500-base',
      './weights.safetensors',
      '../',
      './data/',
      '{ }',
    ]);
    expect(items('{ "start": "run:|" }', known)[0].detail).toBe('accuracy 98.30% · 47.1x smaller · 2026-11-26 10:15');
  });

  describe('inputs and outputs of the model', () => {
    const named = (name: string, activation: 'softmax' | 'other', units: number) => ({
      name,
      activation,
      shape: [null, units],
    });
    const model = {
      ...describeModel({ fc1: { weights: { kernel: [4, 3] } } }),
      inputs: ['left', 'right'].map((name) => ({ name, shape: [null, 4], dtype: 'float32' })),
      outputs: [named('kind', 'softmax', 3), named('size "of mine"', 'other', 1)],
    };
    const of = { model };
    const arrays = (inside: string) => `{ "model": "net.onnx", "data": { "type": "arrays", "train": { ${inside} } } }`;

    test('have a loss each, the one that fits first', () => {
      expect(labels(training('"loss": { | }'), around(of))).toEqual(['kind', 'size "of mine"']);
      expect(labels(training('"loss": { "kind": "huber", | }'), around(of))).toEqual(['size "of mine"']);
      expect(chosen(training('"loss": { | }'), 'kind', around(of))).toBe(
        training('"loss": { "kind": "sparse-categorical-crossentropy" }'),
      );
      expect(chosen(training('"loss": { | }'), 'size "of mine"', around(of))).toBe(
        training('"loss": { "size \\"of mine\\"": "mean-squared-error" }'),
      );
      expect(labels(training('"loss": { "kind": "|" }'), around(of))).toContain('huber');
    });

    test('are proposed all at once', () => {
      const all = '{ kind, size "of mine" }';
      const text = chosen(training('"loss": |'), all, around(of));
      expect(JSON.parse(text)).toMatchObject({
        training: { loss: { kind: 'sparse-categorical-crossentropy', 'size "of mine"': 'mean-squared-error' } },
      });
      expect(labels(training('"loss": |'), around(of))).toEqual(expect.arrayContaining(['auto', all]));
      expect(labels(arrays('"targets": |'), around(of))).toContain(all);
      expect(chosen(arrays('"inputs": |'), '{ left, right }', around(of))).toBe(
        arrays('"inputs": { "left": "", "right": "" }'),
      );
    });

    test('name the arrays of a split', () => {
      expect(labels(arrays('"inputs": { "left": "./x.npy", | }'), around(of))).toEqual(['right']);
      expect(labels(arrays('"targets": { | }'), around(of))).toEqual(['kind', 'size "of mine"']);
      expect(labels(arrays('"inputs": { "left": "./data/|" }'), around(of))).toContain('./data/x_train.npy');
    });

    test('are not proposed for a model that is not described, or has a single output', () => {
      expect(labels(training('"loss": { | }'))).toEqual([]);
      const single = around({ model: { ...model, outputs: model.outputs.slice(0, 1) } });
      expect(labels(training('"loss": |'), single).filter((label) => label.includes('kind'))).toEqual([]);
      expect(labels(training('"loss": { | }'), single)).toEqual(['kind']);
    });
  });

  describe('files of a folder', () => {
    const keras = ['net.keras', 'net.h5', 'net.HDF5'];
    const torch = ['net.pt', 'net.pth', 'last.ckpt', 'net.bin'];
    const modules = ['net.ts', 'net.mts', 'net.cts', 'net.tsx', 'net.js', 'net.mjs', 'net.cjs', 'net.jsx'];
    const folder = [...modules, 'net.onnx', ...keras, ...torch, 'net.safetensors', 'net.safetensors.index.json'];
    const others = ['net.d.ts', 'net.d.mts', 'net.py', 'x.npy', 'readme.md'];
    const beside = around({ entries: (path) => (path === './' ? [...folder, ...others] : []) });
    const files = (marked: string) =>
      labels(marked, beside).flatMap((label) => (label.startsWith('./') ? label.slice(2) : []));

    test.each(['{ "model": "|" }', '{ "distillation": { "teacher": { "model": "|" } } }'])(
      'a model is a module, or a file of a model: %s',
      (marked) => {
        expect(files(marked)).toEqual([...modules, 'net.onnx', ...keras, 'net.safetensors.index.json']);
      },
    );

    test.each([
      '{ "start": | }',
      '{ "start": { "from": | } }',
      '{ "distillation": { "teacher": { "model": "net.ts", "weights": "|" } } }',
    ])('a start is a file of weights, those of models and of PyTorch among them: %s', (marked) => {
      expect(files(marked)).toEqual(folder.filter((name) => !modules.includes(name)));
    });

    test('a teacher is a file with layers and weights', () => {
      const models = ['net.onnx', ...keras, 'net.safetensors', 'net.safetensors.index.json'];
      expect(files('{ "distillation": { "teacher": | } }')).toEqual(models);
    });

    test('a module and an ONNX file are what their settings say', () => {
      expect(files('{ "model": { "module": "|" } }')).toEqual(modules);
      expect(files('{ "model": { "onnx": "|" } }')).toEqual(['net.onnx']);
    });
  });

  test('a teacher is a run, a file with a model, or a model with its weights', () => {
    expect(labels('{ "distillation": { "teacher": | } }', known)).toEqual([
      'run:base',
      'run:20261126-101500-base',
      'run:20261125-101500-base',
      './weights.safetensors',
      '../',
      './data/',
      '{ }',
    ]);
    const own = (inside: string) => labels(`{ "distillation": { "teacher": { ${inside} } } }`, known);
    expect(own('|')).toEqual(['model', 'weights']);
    expect(own('"model": "|"')).toEqual(expect.arrayContaining(['./model.ts', 'builtin:lenet-5']));
    expect(own('"weights": "|"')).toEqual(expect.arrayContaining(['run:base', './weights.safetensors']));
  });

  test.each([
    ['{ "model": "|" }', './model.ts'],
    ['{ "model": "./mo|" }', './model.ts'],
    ['{ "data": { "type": "mnist", "path": "./data/|" } }', './data/mnist/'],
    ['{ "data": { "type": "arrays", "train": { "inputs": "./data/|" } } }', './data/x_train.npy'],
    ['{ "data": { "type": "text", "files": { "train": "|" } } }', './words.txt'],
    ['{ "data": { "type": "table", "files": { "train": "|" } } }', './pets.csv'],
  ])('%s', (marked, path) => {
    expect(labels(marked)).toContain(path);
    expect(labels(marked)).not.toContain('./types.d.ts');
  });

  test.each([
    ['"target": "|"', ['height', 'fur colour', 'kind']],
    ['"target": "kind", "columns": ["height", |]', ['fur colour']],
    ['"target": "kind", "inputs": { "a": ["height"], "b": ["fur colour", |] }', ['height']],
    ['"target": "kind", "kinds": { | }', ['height', 'fur colour']],
    ['"target": "kind", "kinds": { "height": | }', ['number', 'category', 'ignored']],
  ])('columns of a table: %s', (settings, expected) => {
    expect(labels(`{ "data": { "type": "table", "path": "./pets.csv", ${settings} } }`)).toEqual(expected);
  });

  test('a model is also a built-in one', () => {
    expect(labels('{ "model": | }')).toEqual(expect.arrayContaining(['./model.ts', 'builtin:lenet-300-100']));
  });
});

describe('blocks', () => {
  test.each(['prune', 'quantize', 'low-rank'])('an empty file becomes an experiment that is right: %s', (method) => {
    for (const empty of ['|', '// mine\n|', 'exp|', '{|}', '{\n  |\n}']) {
      const text = chosen(empty, `experiment: ${method}`);
      const { experiment, problems } = checkExperiment(text);
      expect([empty, problems]).toEqual([empty, []]);
      // The module may export none.
      expect(experiment?.training.loss).toBe('sparse-categorical-crossentropy-from-logits');
    }
  });

  test('plain training and a distortion of your own', () => {
    expect(checkExperiment(chosen('|', 'experiment: train only')).problems).toEqual([]);
    expect(checkExperiment(chosen('|', 'experiment: custom')).problems).toEqual([]);
    expect(chosen('|', 'experiment: train only')).not.toContain('compression');
  });

  test.each(['prune', 'quantize', 'low-rank', 'nuclear-norm', 'group-lasso', 'custom'])(
    'a compression by %s, with the layers of the model',
    (method) => {
      const whole = withCompression('').replace(/"compression": \{\s*\}/, '"compression": |');
      const text = chosen(whole, method);
      expect(checkExperiment(text).problems).toEqual([]);
      expect(text).toContain('"fc3"');
      const key = withCompression('').replace(/"compression": \{\s*\}/, '|');
      expect(checkExperiment(chosen(key, `compression: ${method}`)).problems).toEqual([]);
    },
  );

  test('the times of a compression fit the length of the training', () => {
    const whole = withCompression('', '"steps": 500').replace(/"compression": \{\s*\}/, '"compression": |');
    expect(chosen(whole, 'prune')).toMatch(/"distortEvery": 5,[^]*"from": 100, "to": 300/);
    const epochs = withCompression('', '"epochs": 20').replace(/"compression": \{\s*\}/, '"compression": |');
    expect(chosen(epochs, 'prune')).toMatch(/"from": 4, "to": 12, "unit": "epochs"/);
  });
});

test('nothing is offered in a comment, and an editor keeps what it has to replace', () => {
  expect(labels(pruneText.replace('as in', 'as| in'))).toEqual([]);
  const [item] = items(training('"optim|"'));
  expect(item).toMatchObject({ label: 'optimizer', filterText: '"optimizer"' });
});
