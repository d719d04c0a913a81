import { describe, expect, it } from 'vitest';
import {
  checkExperiment,
  parseExperiment,
  placed,
  problemAt,
} from '../../../../server/protocol/experiment/parseExperiment.ts';
import { formatProblem } from '../../../../server/protocol/experiment/problem.ts';
import { SettingError } from '../../../../server/protocol/experiment/settingError.ts';
import { ExitCode, UserError } from '../../../../server/protocol/userError.ts';
import { processorTime } from '../../processorTime.ts';

const valid = `{
  // LeNet-300-100 of the paper
  "model": "builtin:lenet-300-100",
  "data": { "type": "mnist", "path": "../data/mnist" },
  "training": {
    "optimizer": { "type": "adam" },
    "batchSize": 50,
    "steps": 20000,
  },
  "compression": {
    "method": "prune",
    "distortEvery": 10,
    "layers": {
      "fc1": { "rate": 0.98 },
      "fc2": { "rate": 0.98 }
    },
    "schedule": { "initialRate": 0.25, "from": 8000, "to": 13000, "exponent": 7 }
  }
}
`;

/** Messages for the valid file with one piece of its text replaced. */
function messages(search: string, replacement: string, overrides: string[] = []): string[] {
  expect(valid).toContain(search);
  const { problems } = checkExperiment(valid.replace(search, replacement), overrides);
  return problems.map((problem) => formatProblem('lenet.deeptwist.jsonc', problem));
}

/** Messages for the valid file under `--set`. */
function messagesOfSet(...overrides: string[]): string[] {
  return messages('{', '{', overrides);
}

describe('texts that are made to be slow', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const tooDeep = 'nested too deep: at most 100 levels of objects and lists can be read';

  it.each([101, 20_000, 1_000_000])('brackets %i deep are refused where they are too deep', (levels) => {
    const { problems } = checkExperiment(`{\n  "model": ${nested(levels)}\n}`);
    expect(problems).toMatchObject([{ message: tooDeep, line: 2, column: 12 + 99, code: 'syntax' }]);
  });

  it('brackets in comments and strings, and many side by side, are not', () => {
    const { problems } = checkExperiment(`{ /* ${nested(200)} */ "${nested(200)}": [${'{},[],'.repeat(200)}] }`);
    expect(problems.map(({ message }) => message)).not.toContain(tooDeep);
  });

  it('objects too deep in a --set, and paths too long, are refused', () => {
    expect(messagesOfSet(`compression.layers=${nested(20_000)}`)).toEqual([
      expect.stringMatching(new RegExp(`${tooDeep}$`)),
    ]);
    expect(messagesOfSet(`${'a.'.repeat(20_000)}a=1`)).toEqual([expect.stringMatching(new RegExp(`${tooDeep}$`))]);
  });

  it('a --set of a megabyte that is none takes no time', () => {
    const text = `["${'='.repeat(1_000_000)}`;
    expect(processorTime(() => messagesOfSet(text))).toBeLessThan(2000);
  });

  it('time grows with the number of unknown settings, not with its square', () => {
    const unknown = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`u${i}`, 1])));
    expect(processorTime(() => checkExperiment(unknown(20_000)))).toBeLessThan(6000);
    expect(checkExperiment(unknown(20_000)).problems).toHaveLength(20_003);
  });

  it('names of a megabyte are compared with none', () => {
    const text = JSON.stringify({ ['x'.repeat(1_000_000)]: 1 });
    expect(processorTime(() => checkExperiment(text))).toBeLessThan(2000);
  });

  it('a message shows the first hundred problems and counts the rest', () => {
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`u${i}`, 1])));
    expect(() => parseExperiment(text, { file: 'x' })).toThrow(/unknown setting[^\n]*\n… and 103 more$/);
  });
});

describe('checkExperiment', () => {
  it('returns the experiment with its defaults', () => {
    const { experiment, problems } = checkExperiment(valid);
    expect(problems).toEqual([]);
    expect(experiment?.training).toMatchObject({ steps: 20000, seed: 1, loss: 'auto', checkpointEvery: 1000 });
    expect(experiment?.training.optimizer).toMatchObject({ type: 'adam', learningRate: 1e-3, beta1: 0.9 });
    expect(experiment?.observe).toEqual({ bins: 80, spectrum: true });
    expect(experiment?.compression).toMatchObject({ policy: 'deeptwist', layers: { fc1: { rate: 0.98 } } });
  });

  it.each([
    ['0.98 },', '1.2 },', '14:24 compression.layers.fc1.rate: expected a number in [0, 1), got 1.2'],
    ['0.98 },', '1 },', '14:24 compression.layers.fc1.rate: expected a number in [0, 1), got 1'],
    ['0.98 },', '-0.1 },', '14:24 compression.layers.fc1.rate: expected a number in [0, 1), got -0.1'],
  ])('refuses a pruning rate outside [0, 1) at its exact place', (search, replacement, message) => {
    expect(messages(search, replacement)).toEqual([`lenet.deeptwist.jsonc:${message}`]);
  });

  it.each([
    ['"batchSize": 50', '"batchSize": "50"', '7:18 training.batchSize: expected a positive integer, got "50"'],
    [
      '"type": "mnist"',
      '"type": {}',
      "4:21 data.type: expected 'mnist', 'arrays', 'images', 'table', 'module' or 'text', got an empty object",
    ],
    ['"steps": 20000', '"steps": 1.5', '8:14 training.steps: expected a positive integer, got 1.5'],
    [
      '"batchSize": 50',
      '"batchSize": 1e999',
      '7:18 training.batchSize: expected a positive integer, got a number above 1.8e308',
    ],
    [
      '0.98 },',
      '-1e999 },',
      '14:24 compression.layers.fc1.rate: expected a number in [0, 1), got a number below -1.8e308',
    ],
    ['{ "rate": 0.98 },', '0.98,', '14:14 compression.layers.fc1: expected an object, got 0.98'],
    ['"builtin:lenet-300-100"', '[]', '3:12 model: expected a non-empty string or an object, got an empty list'],
    ['"builtin:lenet-300-100"', '""', '3:12 model: expected a non-empty string or an object, got ""'],
    ['"batchSize": 50', '"seed": -1, "batchSize": 50', '7:13 training.seed: expected an integer of at least 0, got -1'],
    [
      '"steps": 20000',
      '"steps": 20000, "clip": { "value": 0 }',
      '8:40 training.clip.value: expected a positive number, got 0',
    ],
  ])('refuses a wrong type or size: %s -> %s', (search, replacement, message) => {
    expect(messages(search, replacement)).toEqual([`lenet.deeptwist.jsonc:${message}`]);
  });

  it('refuses an unknown setting, at its key, with what was probably meant', () => {
    expect(messages('"batchSize": 50', '"batchSize": 50, "sede": 1')).toEqual([
      'lenet.deeptwist.jsonc:7:22 training.sede: unknown setting; did you mean "seed"?',
    ]);
  });

  it('lists the known settings where no name is near', () => {
    expect(messages('0.98 },', '0.98, "sparsity": 1 },')).toEqual([
      'lenet.deeptwist.jsonc:14:30 compression.layers.fc1.sparsity: unknown setting; expected rate, pattern, block',
    ]);
  });

  it('does not call a misspelt setting missing as well', () => {
    expect(messages('"batchSize"', '"batchsise"')).toEqual([
      'lenet.deeptwist.jsonc:7:5 training.batchsise: unknown setting; did you mean "batchSize"?',
    ]);
  });

  it('says of a missing setting what is expected, at the object that lacks it', () => {
    expect(messages('"distortEvery": 10,', '')).toEqual([
      'lenet.deeptwist.jsonc:10:3 compression.distortEvery: missing: expected a positive integer',
    ]);
    expect(checkExperiment('{}').problems.map((problem) => problem.path)).toEqual(['model', 'data', 'training']);
  });

  it('explains a union by its options', () => {
    expect(messages('"mnist"', '"minst"')).toEqual([
      `lenet.deeptwist.jsonc:4:21 data.type: expected 'mnist', 'arrays', 'images', 'table', 'module' or 'text', got "minst"; did you mean 'mnist'?`,
    ]);
    expect(messages('"method": "prune",', '')).toEqual([
      `lenet.deeptwist.jsonc:10:3 compression.method: missing: expected 'prune', 'quantize', 'low-rank', 'nuclear-norm', 'group-lasso' or 'custom'`,
    ]);
    expect(messages('{ "type": "adam" }', '"adam"')).toEqual([
      `lenet.deeptwist.jsonc:6:18 training.optimizer: expected an object whose "type" is 'sgd', 'adam', 'rmsprop' or ` +
        `'adagrad', got "adam"`,
    ]);
  });

  it('says which settings the chosen option of a union has', () => {
    expect(messages('"type": "adam"', '"type": "adam", "nesterov": true')).toEqual([
      'lenet.deeptwist.jsonc:6:36 training.optimizer.nesterov: unknown setting; expected type, learningRate, beta1, ' +
        'beta2, epsilon, weightDecay',
    ]);
  });

  it.each([0, 9, 2.5])('refuses %s bits', (bits) => {
    const method = '"method": "quantize"';
    const text = valid
      .replace('"method": "prune"', method)
      .replace('{ "rate": 0.98 },', `{ "bits": ${bits} },`)
      .replace('{ "rate": 0.98 }', '{ "bits": 3 }')
      .replace(/"schedule": .*/, '"schedule": { "from": 100 }');
    expect(checkExperiment(text).problems).toMatchObject([
      {
        path: 'compression.layers.fc1.bits',
        line: 14,
        column: 24,
        message: `expected an integer from 1 to 8, got ${bits}`,
      },
    ]);
  });

  it.each([
    ['"distortEvery": 10', '"distortEvery": 0', '12:21 compression.distortEvery: expected a positive integer, got 0'],
    [
      '"distortEvery": 10',
      '"distortEvery": 20001',
      '12:21 compression.distortEvery: expected at most training.steps (20000), got 20001',
    ],
    [
      '"from": 8000',
      '"from": 13000',
      '17:48 compression.schedule.from: expected below compression.schedule.to (13000), got 13000',
    ],
    ['"to": 13000', '"to": 20001', '17:60 compression.schedule.to: expected at most training.steps (20000), got 20001'],
  ])('refuses times that do not go together: %s -> %s', (search, replacement, message) => {
    expect(messages(search, replacement)).toEqual([`lenet.deeptwist.jsonc:${message}`]);
  });

  it.each([
    ['"color": "grey"', `4:53 data.color: expected 'rgb' or 'gray', got "grey"; did you mean 'gray'?`],
    ['"size": [32]', '4:52 data.size: expected a list of 2 numbers, got a list'],
    ['"size": 32', '4:52 data.size: expected a list of 2 numbers, got 32'],
    ['"size": [32, 0]', '4:57 data.size[1]: expected a positive integer, got 0'],
    [
      '"standardize": "train"',
      `4:59 data.standardize: expected 'training' or 'symmetric' or an object, got "train"; did you mean 'training'?`,
    ],
    [
      '"standardize": { "mean": [0, 0, 0] }',
      '4:44 data.standardize.deviation: missing: expected a list of 1 to 3 numbers',
    ],
    [
      '"standardize": { "mean": [0, 0, 0], "deviation": [1, 1] }',
      '4:93 data.standardize.deviation: expected 3 numbers, one for each channel, got 2',
    ],
    [
      '"color": "gray", "standardize": { "mean": [0, 0, 0], "deviation": [1] }',
      '4:86 data.standardize.mean: expected 1 number, one for each channel, got 3',
    ],
    ['"crop": { "padding": 0 }', '4:65 data.crop.padding: expected a positive integer, got 0'],
    ['"limit": { "train": 0 }', '4:64 data.limit.train: expected a positive integer, got 0'],
    ['"split": { "test": 1 }', '4:63 data.split.test: expected a number in (0, 1), got 1'],
    [
      '"labels": "a.csv"',
      '4:54 data.labels: one file of labels is for all images; set "split": { "test": 0.2 }, or name a file for each split',
    ],
    [
      '"labels": { "train": "a", "test": "b" }, "split": { "test": 0.2 }',
      '4:96 data.split.test: "labels" has a file for it',
    ],
    ['"labelColumns": {}', '4:44 data.labelColumns: they are columns of "labels", which is not there'],
    ['"flip": 1', '4:52 data.flip: expected true or false, got 1'],
  ])('says what is wrong with a setting of images: %s', (setting, message) => {
    const images = `{ "type": "images", "path": "a", ${setting} }`;
    expect(messages('{ "type": "mnist", "path": "../data/mnist" }', images)).toEqual([
      `lenet.deeptwist.jsonc:${message}`,
    ]);
  });

  it.each([
    [
      '"task": "regresion"',
      `data.task: expected 'classification' or 'regression', got "regresion"; did you mean 'regression'?`,
    ],
    ['"columns": []', 'data.columns: expected a non-empty list, got an empty list'],
    [
      '"kinds": { "a": "numbr" }',
      `data.kinds.a: expected 'number', 'category' or 'ignored', got "numbr"; did you mean 'number'?`,
    ],
    ['"split": { "test": 0 }', 'data.split.test: expected a number in (0, 1), got 0'],
    ['"delimiter": ""', 'data.delimiter: expected a non-empty string, got ""'],
    ['"missing": { "numbers": "zero" }', `data.missing.numbers: expected 'mean', 'median' or 'error', got "zero"`],
    [
      '"categories": "onehot"',
      `data.categories: expected 'one-hot' or 'integer', got "onehot"; did you mean 'one-hot'?`,
    ],
    ['"columns": ["a", "y"]', 'data.columns[1]: it is the target, and no input'],
    ['"columns": ["a", "b", "a"]', 'data.columns[2]: it is there twice'],
    ['"columns": ["a", "b"], "kinds": { "b": "ignored" }', 'data.columns[1]: it is "ignored" by "kinds"'],
    ['"inputs": {}', 'data.inputs: expected an input of the model with its columns, got none'],
    ['"inputs": { "a": [] }', 'data.inputs.a: expected a non-empty list, got an empty list'],
    ['"inputs": { "a": ["b"], "c": ["y"] }', 'data.inputs.c[0]: it is the target, and no input'],
    ['"inputs": { "a": ["b", "b"], "c": ["b"] }', 'data.inputs.a[1]: it is there twice'],
    ['"inputs": { "a": ["b"] }, "kinds": { "b": "ignored" }', 'data.inputs.a[0]: it is "ignored" by "kinds"'],
    ['"inputs": { "a": ["b"] }, "columns": ["b"]', 'data.inputs: expected either "columns" or "inputs"'],
    ['"kinds": { "y": "number" }', 'data.kinds.y: it is the target; "task" says what that is'],
    ['"standardize": "all"', 'data.standardize: classes are not standardized: "all" is for "task": "regression"'],
    ['"files": { "train": "a", "test": "b" }', 'data.files: expected either "path" or "files"'],
  ])('says what is wrong with a setting of a table: %s', (setting, message) => {
    const table = `{ "type": "table", "path": "a.csv", "target": "y", ${setting} }`;
    expect(
      messages('{ "type": "mnist", "path": "../data/mnist" }', table).map((text) => text.replace(/^\S+ /, '')),
    ).toEqual([message]);
  });

  it.each([
    [
      '"classWeights": "balance"',
      `training.classWeights: expected 'balanced' or an object, got "balance"; did you mean 'balanced'?`,
    ],
    ['"classWeights": { "a": -1 }', 'training.classWeights.a: expected a number of at least 0, got -1'],
    [
      '"classWeights": "balanced", "loss": "huber"',
      'training.classWeights: it is for classes, and not for the loss "huber"; choose one of categorical-crossentropy, sparse-categorical-crossentropy, sparse-categorical-crossentropy-from-logits',
    ],
  ])('says what is wrong with weights of classes: %s', (setting, message) => {
    expect(messages('"batchSize": 50', `"batchSize": 50, ${setting}`).map((text) => text.replace(/^\S+ /, ''))).toEqual(
      [message],
    );
  });

  it('weights of classes are only for samples that all ask a teacher', () => {
    const asking =
      '"distillation": { "teacher": "run:a", "ask": { "entropyAbove": 1 } }, "training": { "classWeights": "balanced",';
    expect(messages('"training": {', asking)).toEqual([
      expect.stringContaining('training.classWeights: samples count by their classes only where each of them asks'),
    ]);
    const ofOutput = asking.replace(
      '"classWeights": "balanced",',
      '"loss": { "c": { "loss": "sparse-categorical-crossentropy", "weight": 2, "classWeights": { "0": 5 } } },',
    );
    expect(messages('"training": {', ofOutput)).toEqual([
      expect.stringContaining('training.loss.c.weight: outputs have weights only where each sample asks the teacher'),
      expect.stringContaining('training.loss.c.classWeights: samples count by their classes only where each'),
    ]);
    expect(messages('"training": {', ofOutput.replace('{ "entropyAbove": 1 }', '"always"'))).toEqual([]);
  });

  it.each([
    [
      '{ "type": "text", "timeSteps": 35, "files": { "train": "a", "test": "b" }, "split": { "test": 0.1 } }',
      'data.split.test: "files" has a text for it',
    ],
    [
      '{ "type": "text", "timeSteps": 35, "files": { "train": "a", "test": "b", "validation": "c" }, "split": { "validation": 0.1 } }',
      'data.split.validation: "files" has a text for it',
    ],
    [
      '{ "type": "text", "timeSteps": 35, "path": "a", "tokenizer": "b", "vocabulary": { "size": 5 } }',
      'data.tokenizer: expected either "tokenizer" or "vocabulary"',
    ],
    [
      '{ "type": "arrays", "train": { "inputs": "a", "targets": "b" } }',
      'data.test: missing: expected arrays, or "split": { "test": 0.2 }',
    ],
    [
      '{ "type": "arrays", "train": { "inputs": "a", "targets": "b" }, "test": { "inputs": "a", "targets": "b" }, "split": { "test": 0.1 } }',
      'data.split.test: "test" has arrays for it',
    ],
    [
      '{ "type": "arrays", "train": { "inputs": { "a": 1 }, "targets": "b" }, "split": { "test": 0.1 } }',
      'data.train.inputs.a: expected a non-empty string, got 1',
    ],
    [
      '{ "type": "arrays", "train": { "inputs": "a", "targets": "b" }, "split": { "test": 1.5 } }',
      'data.split.test: expected a number',
    ],
    ['{ "type": "images", "path": "a", "skipBroken": 1 }', 'data.skipBroken: expected a number in [0, 1), got 1'],
    ['{ "type": "mnist", "path": "a", "validation": 1.5 }', 'data.validation: expected'],
  ])('refuses settings of data that do not fit: %s', (data, message) => {
    expect(messages('{ "type": "mnist", "path": "../data/mnist" }', data)).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['{ "a": "hinge" }', 'training.loss.a: expected'],
    ['{ "a": { "loss": "huber", "weight": 0 } }', 'training.loss.a.weight: expected a positive number, got 0'],
    ['{ "a": { "weight": 1 } }', 'training.loss.a.loss: missing: expected'],
    ['{ "a": { "loss": "huber", "wieght": 2 } }', 'training.loss.a.wieght: unknown setting; did you mean "weight"?'],
  ])('refuses losses of outputs that are none: %s', (loss, message) => {
    expect(messages('"training": {', `"training": { "loss": ${loss},`)).toEqual([expect.stringContaining(message)]);
  });

  it('a table is divided by files or by fractions', () => {
    const table =
      '{ "type": "table", "files": { "train": "a", "test": "b" }, "target": "y", "split": { "test": 0.5 } }';
    expect(messages('{ "type": "mnist", "path": "../data/mnist" }', table)).toEqual([
      expect.stringContaining('data.split.test: "files" has a table for it'),
    ]);
  });

  it.each([
    ['"steps": 20000', '"steps": 20000, "epochs": 3', `8:21 training.epochs: expected either "steps" or "epochs"`],
    ['"steps": 20000,', '', `5:3 training.steps: missing: expected a positive integer, or "epochs"`],
    [
      '{ "type": "mnist", "path": "../data/mnist" }',
      '{ "type": "text", "timeSteps": 35 }',
      '4:3 data.path: missing: expected a folder or a file, or "files"',
    ],
    [
      '{ "type": "mnist", "path": "../data/mnist" }',
      '{ "type": "text", "timeSteps": 35, "path": "a", "vocabulary": { "size": 5, "file": "b" } }',
      '4:75 data.vocabulary.size: expected either "size" or "file"',
    ],
  ])('refuses settings of which one is to be given: %s -> %s', (search, replacement, message) => {
    expect(messages(search, replacement)).toEqual([`lenet.deeptwist.jsonc:${message}`]);
  });

  it('compares times in epochs with epochs, and leaves those in steps beside epochs for later', () => {
    const inEpochs = valid.replace('"steps": 20000', '"epochs": 5');
    expect(checkExperiment(inEpochs).problems).toEqual([]);
    const schedule = (to: number) => inEpochs.replace(/"from": .*13000/, `"unit": "epochs", "to": ${to}`);
    expect(checkExperiment(schedule(3)).problems).toEqual([]);
    expect(checkExperiment(schedule(6)).problems).toMatchObject([
      { path: 'compression.schedule.to', message: 'expected at most training.epochs (5), got 6' },
    ]);
  });

  it('says what is wrong with the settings of an ONNX file at their exact place', () => {
    const onnx = (settings: string) => messages('"builtin:lenet-300-100"', `{ "onnx": "./net.onnx"${settings} }`);
    expect(onnx('')).toEqual([]);
    expect(onnx(', "inputs": { "sequence": 128 }, "batchStatistics": "frozen"')).toEqual([]);
    expect(onnx(', "inputs": { "sequence": 0 }')).toEqual([
      expect.stringMatching(/model\.inputs\.sequence: expected a positive integer, got 0$/),
    ]);
    expect(onnx(', "batchStatistics": "frozn"')).toEqual([
      expect.stringMatching(
        /model\.batchStatistics: expected 'trained' or 'frozen', got "frozn"; did you mean 'frozen'\?$/,
      ),
    ]);
    expect(onnx(', "input": {}')).toEqual([
      expect.stringMatching(/model\.input: unknown setting; did you mean "inputs"\?$/),
    ]);
  });

  it('says what is wrong with the sizes of a built-in model at its exact place', () => {
    const lstm = (sizes: string) => messages('"builtin:lenet-300-100"', `{ "builtin": "lstm-lm"${sizes} }`);
    expect(lstm(', "units": 200')).toEqual([]);
    expect(lstm('')).toEqual(['lenet.deeptwist.jsonc:3:3 model.units: missing: expected a positive integer']);
    expect(lstm(', "units": 200, "dropout": 1')).toEqual([
      'lenet.deeptwist.jsonc:3:61 model.dropout: expected a number in [0, 1), got 1',
    ]);
    expect(lstm(', "units": 200, "layer": 1')).toEqual([
      'lenet.deeptwist.jsonc:3:50 model.layer: unknown setting; did you mean "layers"?',
    ]);
  });

  it('refuses a compression without layers', () => {
    expect(messages(/"layers": \{[^}]*\}[^}]*\}\s*\}/.exec(valid)![0], '"layers": {}')).toEqual([
      'lenet.deeptwist.jsonc:13:15 compression.layers: expected at least one layer to compress',
    ]);
  });

  it('reports all problems at once, in the order of the file', () => {
    const { problems } = checkExperiment(
      valid
        .replace('"batchSize": 50', '"batchSize": 0')
        .replace('0.98 },', '1.2 },')
        .replace('"to": 13000', '"to": 7000')
        .replace('"path": "../data/mnist"', '"pth": "../data/mnist"'),
    );
    expect(problems.map((problem) => `${problem.line} ${problem.path}`)).toEqual([
      '4 data.pth',
      '7 training.batchSize',
      '14 compression.layers.fc1.rate',
      '17 compression.schedule.from',
    ]);
  });

  it.each([
    ['hello', '1:1 not JSON: names and strings are written in double quotes'],
    ['', '1:1 not JSON: expected a value'],
    ['{\n  "model" 3\n}', '2:11 not JSON: expected a colon'],
    ['{\r\n  "model": "a"\r\n  "start": "b"\r\n}', '3:3 not JSON: expected a comma'],
    ['{ "model": "a"', '1:15 not JSON: expected a closing brace'],
  ])('refuses a file that is not JSON: %j', (text, message) => {
    expect(checkExperiment(text).problems.map((problem) => formatProblem('f.jsonc', problem))).toEqual([
      `f.jsonc:${message}`,
    ]);
  });

  it.each(['[]', '3', 'null'])('refuses a file that is no object: %s', (text) => {
    expect(checkExperiment(text).problems).toMatchObject([{ path: '', line: 1, column: 1 }]);
  });

  it('refuses a key that is there twice', () => {
    expect(messages('"batchSize": 50', '"batchSize": 50, "steps": 3')).toEqual([
      'lenet.deeptwist.jsonc:8:5 training.steps: this key is there twice; remove one of them',
    ]);
  });
});

describe('--set', () => {
  it('removes a setting by null, so that another one can take its place', () => {
    const { experiment } = checkExperiment(valid, ['training.steps=null', 'training.epochs=20']);
    expect(experiment?.training).toMatchObject({ epochs: 20 });
    expect(experiment?.training.steps).toBeUndefined();
  });

  it('replaces settings, parsing the value as JSON or else as a string', () => {
    const { experiment } = checkExperiment(valid, [
      'training.steps=15000',
      'compression.layers.fc1.rate=0.9',
      'start=run:last',
      'training.optimizer={"type":"sgd","learningRate":0.1}',
      'training.clip.globalNorm=5',
      'compression.layers["dense.1"].rate=0.5',
    ]);
    expect(experiment).toMatchObject({
      start: 'run:last',
      training: { steps: 15000, optimizer: { type: 'sgd', learningRate: 0.1 }, clip: { globalNorm: 5 } },
      compression: { layers: { fc1: { rate: 0.9 }, fc2: { rate: 0.98 }, 'dense.1': { rate: 0.5 } } },
    });
  });

  it.each([
    ['training.steps=many', 'training.steps: expected a positive integer, got "many"'],
    ['compression.layers.fc1.rate=1', 'compression.layers.fc1.rate: expected a number in [0, 1), got 1'],
    ['training.stepz=100', 'training.stepz: unknown setting; did you mean "steps"?'],
    ['trainig.steps=100', 'trainig: unknown setting; did you mean "training"?'],
    ['compression.layers.fc9.rte=1', 'compression.layers.fc9.rte: unknown setting; did you mean "rate"?'],
    ['compression.distortEvery=30000', 'compression.distortEvery: expected at most training.steps (20000), got 30000'],
    ['training.steps=10000', 'compression.schedule.to: expected at most training.steps (10000), got 13000'],
    ['training.steps', 'expected SETTING=VALUE, for example training.steps=100'],
    ['=3', 'expected SETTING=VALUE, for example training.steps=100'],
    ['training..steps=3', 'expected SETTING=VALUE, for example training.steps=100'],
    ['training.steps.count=3', 'training.steps is 20000, which has no settings in it'],
  ])('names the --set that is wrong: %s', (override, message) => {
    expect(messagesOfSet(override)).toEqual([`--set ${override} ${message}`]);
  });

  it('does not blame a --set for a problem of the file', () => {
    expect(messages('0.98 },', '1.2 },', ['training.seed=3', 'compression.layers.fc2.rate=0.5'])).toEqual([
      'lenet.deeptwist.jsonc:14:24 compression.layers.fc1.rate: expected a number in [0, 1), got 1.2',
    ]);
  });

  it('lets the last of two decide', () => {
    expect(checkExperiment(valid, ['training.seed=3', 'training.seed=4']).experiment?.training.seed).toBe(4);
  });
});

describe('parseExperiment', () => {
  it('throws one usage error with every problem on its line', () => {
    const text = valid.replace('"batchSize": 50', '"batchSize": 0').replace('0.98 },', '1.2 },');
    const error = (() => {
      try {
        return parseExperiment(text, { file: 'lenet.deeptwist.jsonc' });
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      exitCode: ExitCode.usage,
      message:
        'lenet.deeptwist.jsonc:7:18 training.batchSize: expected a positive integer, got 0\n' +
        'lenet.deeptwist.jsonc:14:24 compression.layers.fc1.rate: expected a number in [0, 1), got 1.2',
    });
  });
});

describe('a setting that does not fit the model', () => {
  const unknown = (layer: string) =>
    new SettingError(['compression', 'layers', layer], 'matches no layer', { at: 'key', remedy: 'Name another.' });

  it('is placed in the file', () => {
    const source = { file: 'lenet.deeptwist.jsonc', text: valid, overrides: [] };
    expect(problemAt(unknown('fc2'), source)).toMatchObject({
      path: 'compression.layers.fc2',
      line: 15,
      column: 7,
      message: 'matches no layer',
    });
    expect(placed(unknown('fc2'), source)).toMatchObject({
      message: 'lenet.deeptwist.jsonc:15:7 compression.layers.fc2: matches no layer',
      remedy: 'Name another.',
      exitCode: ExitCode.usage,
    });
  });

  it('is blamed on the --set that made it', () => {
    const overrides = ['compression.layers.fc9.rate=0.5'];
    expect(placed(unknown('fc9'), { file: 'lenet.deeptwist.jsonc', text: valid, overrides }).message).toBe(
      '--set compression.layers.fc9.rate=0.5 compression.layers.fc9: matches no layer',
    );
  });
});
