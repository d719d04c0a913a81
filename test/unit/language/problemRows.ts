/** @file Experiment files as people write them, broken and half-typed, with what they are told and where. */
import { lenet } from './lenet.ts';

export interface ProblemRow {
  readonly what: string;
  readonly text: string;
  /** `SEVERITY CODE «what is marked» message`, each. */
  readonly problems: readonly string[];
}

/** The file with pieces replaced. */
function edited(...edits: readonly (readonly [string, string])[]): string {
  return edits.reduce((text, [search, replacement]) => {
    if (!text.includes(search)) throw new Error(`${search} is not in the file`);
    return text.replace(search, () => replacement);
  }, lenet);
}

const compression = /"compression": \{[^]*\n {2}\}/.exec(lenet)![0];
const layers = /"layers": \{[^]*?\n {4}\}/.exec(compression)![0];
const training = /"training": \{[^]*?\n {2}\}/.exec(lenet)![0];
const model = '"model": "builtin:lenet-300-100"';
const data = '"data": { "type": "mnist", "path": "./mnist" }';
const text = '"data": { "type": "text", "path": "./brown", "timeSteps": 20 }';
const adam = '{ "type": "adam", "learningRate": 1e-3 }';
const schedule = '{ "initialRate": 0.25, "from": 8000, "to": 13000, "exponent": 7 }';
const lstm: readonly [string, string] = [model, '"model": { "builtin": "lstm-lm", "layers": 1, "units": 4 }'];

const method = (settings: string): readonly [string, string] => [compression, `"compression": { ${settings} }`];
const lowRank = (layer: string) => method(`"method": "low-rank", "distortEvery": 10, "layers": { ${layer} }`);
const prune = (layers: string, more = '') =>
  method(`"method": "prune", "distortEvery": 10, ${more}"layers": { ${layers} }`);
const quantize = (layer: string) => method(`"method": "quantize", "distortEvery": 10, "layers": { ${layer} }`);
const sgd: readonly [string, string] = [adam, '{ "type": "sgd", "learningRate": 0.02 }'];
const inEpochs: readonly [string, string] = ['"steps": 20000', '"epochs": 10'];
const groupLasso = (layer: string) => method(`"method": "group-lasso", "layers": { ${layer} }`);

const thin = (
  times: string,
  compressed = '"method": "group-lasso", "layers": { "fc1": { "lambda": 0.1 } }',
): readonly [string, string] => [compression, `"thin": { ${times} }, "compression": { ${compressed} }`];

export const rows: readonly ProblemRow[] = [
  { what: 'an empty file', text: '', problems: ['error syntax «» not JSON: expected a value'] },
  {
    what: 'a target in the place of rates',
    text: edited([compression, `"target": { "maxDrop": 0.005 }, ${compression.replaceAll(/"rate": [\d.]+/g, '')}`]),
    problems: [],
  },
  {
    what: 'a target that wants nothing',
    text: edited([compression, `"target": {}, ${compression}`]),
    problems: [
      'error missing-setting «"target"» target: missing: expected "bytes", "ratio" or "maxDrop", or a size and "maxDrop"',
    ],
  },
  {
    what: 'a mean with a number too few',
    text: edited([
      data,
      '"data": { "type": "images", "path": "./mnist", "standardize": { "mean": [0.5, 0.5], "deviation": [0.2, 0.2, 0.2] } }',
    ]),
    problems: ['error combination «[0.5, 0.5]» data.standardize.mean: expected 3 numbers, one for each channel, got 2'],
  },
  { what: 'a comment alone', text: '// later\n', problems: ['error syntax «» not JSON: expected a value'] },
  { what: 'an opening brace', text: '{', problems: ['error syntax «» not JSON: expected a closing brace'] },
  {
    what: 'an empty object',
    text: '{}',
    problems: [
      'error missing-setting «{» model: missing: expected a non-empty string or an object',
      `error missing-setting «{» data: missing: expected an object whose "type" is 'mnist', 'arrays', 'images', 'table', 'module' or 'text'`,
      'error missing-setting «{» training: missing: expected an object',
    ],
  },
  { what: 'a list', text: '[]', problems: ['error wrong-value «[]» expected an object, got an empty list'] },
  { what: 'a number', text: '12', problems: ['error wrong-value «12» expected an object, got 12'] },
  { what: 'half a key', text: '{ "mod', problems: ['error syntax «"mod» not JSON: a string is not closed'] },
  { what: 'a key without a colon', text: '{ "model" }', problems: ['error syntax «}» not JSON: expected a colon'] },
  { what: 'a key without a value', text: '{ "model": }', problems: ['error syntax «}» not JSON: expected a value'] },
  {
    what: 'a string without its end',
    text: edited([model, '"model": "builtin:lenet']),
    problems: [
      'error syntax «"builtin:lenet,» not JSON: a string is not closed',
      'error syntax «"data"» not JSON: expected a comma',
    ],
  },
  {
    what: 'a comment without its end',
    text: edited(['// LeNet', '/* LeNet']),
    problems: [
      'error syntax «/* LeNet-300-100 of the paper "model": …» not JSON: a comment is not closed',
      'error syntax «» not JSON: expected a closing brace',
    ],
  },
  {
    what: 'a comma that is missing',
    text: edited(['"batchSize": 50,', '"batchSize": 50']),
    problems: ['error syntax «"steps"» not JSON: expected a comma'],
  },
  {
    what: 'a comma that is missing before a comment',
    text: edited([`${model},`, `${model} // the model, "first"`]),
    problems: ['error syntax «"data"» not JSON: expected a comma'],
  },
  {
    what: 'a brace that is missing at the end',
    text: lenet.slice(0, lenet.lastIndexOf('}')),
    problems: ['error syntax «» not JSON: expected a closing brace'],
  },
  {
    what: 'a brace too many',
    text: `${lenet}}`,
    problems: ['error syntax «}» not JSON: expected the end of the file'],
  },
  {
    what: 'single quotes',
    text: edited(['"mnist"', "'mnist'"]),
    problems: [`error syntax «'mnist'» not JSON: names and strings are written in double quotes`],
  },
  {
    what: 'a key without quotes',
    text: edited(['"batchSize"', 'batchSize']),
    problems: ['error syntax «batchSize» not JSON: names and strings are written in double quotes'],
  },
  {
    what: 'a number with a comma',
    text: edited(['0.98', '0,98']),
    problems: ['error syntax «98» not JSON: expected a name in double quotes'],
  },
  {
    what: 'a number that is half typed',
    text: edited(['1e-3', '1e-']),
    problems: ['error syntax «1e-» not JSON: a number is not complete'],
  },
  {
    what: 'a percentage sign',
    text: edited(['0.98', '98%']),
    problems: ['error syntax «%» not JSON: names and strings are written in double quotes'],
  },
  {
    what: 'a key twice',
    text: edited(['"batchSize": 50,', '"batchSize": 50, "batchSize": 60,']),
    problems: ['error duplicate-key «"batchSize"» training.batchSize: this key is there twice; remove one of them'],
  },
  {
    what: 'a layer twice',
    text: edited(['"fc2"', '"fc1"']),
    problems: ['error duplicate-key «"fc1"» compression.layers.fc1: this key is there twice; remove one of them'],
  },
  {
    what: 'characters outside of the basic plane before a mistake',
    text: edited(['// LeNet', '/* 𝛌😀 */ // LeNet'], ['50,', '"50",']),
    problems: ['error wrong-value «"50"» training.batchSize: expected a positive integer, got "50"'],
  },
  {
    what: 'Windows line ends',
    text: edited(['50,', '"50",']).replaceAll('\n', '\r\n'),
    problems: ['error wrong-value «"50"» training.batchSize: expected a positive integer, got "50"'],
  },
  {
    what: 'a byte order mark',
    text: `\uFEFF${edited(['50,', '"50",'])}`,
    problems: ['error wrong-value «"50"» training.batchSize: expected a positive integer, got "50"'],
  },
  {
    what: 'a key that is misspelt',
    text: edited(['"batchSize"', '"batchsise"']),
    problems: ['error unknown-setting «"batchsise"» training.batchsise: unknown setting; did you mean "batchSize"?'],
  },
  {
    what: 'a key that nothing is like',
    text: edited(['"steps": 20000', '"steps": 20000, "colour": 1']),
    problems: [
      'error unknown-setting «"colour"» training.colour: unknown setting; expected optimizer, learningRateSchedule, clip, loss, classWeights, lossReduction, batchSize, accumulate, steps, epochs, keepBest, testAtEnd, keep, seed, evaluateEvery, checkpointEvery, keepCheckpoints, executor, device, threads',
    ],
  },
  {
    what: 'a device that is none',
    text: edited(['"steps": 20000', '"steps": 20000, "device": "gpu"']),
    problems: [
      `error wrong-value «"gpu"» training.device: expected 'cpu', 'webgpu' or 'auto', got "gpu"; did you mean 'cpu'?`,
    ],
  },
  {
    what: 'eager steps on the graphics processor',
    text: edited(['"steps": 20000', '"steps": 20000, "device": "auto", "executor": "eager"']),
    problems: [
      'error combination «"auto"» training.device: only compiled steps run on the graphics processor, and executor is "eager": set device to "cpu", or executor to "auto"',
    ],
  },
  {
    what: 'a key that is missing',
    text: edited(['"batchSize": 50,', '']),
    problems: ['error missing-setting «"training"» training.batchSize: missing: expected a positive integer'],
  },
  {
    what: 'a value that is misspelt',
    text: edited(['"prune"', '"prnue"']),
    problems: [
      `error wrong-value «"prnue"» compression.method: expected 'prune', 'quantize', 'low-rank', 'nuclear-norm', 'group-lasso' or 'custom', got "prnue"; did you mean 'prune'?`,
    ],
  },
  {
    what: 'a number in quotes',
    text: edited(['"batchSize": 50', '"batchSize": "50"']),
    problems: ['error wrong-value «"50"» training.batchSize: expected a positive integer, got "50"'],
  },
  {
    what: 'a fraction in place of a count',
    text: edited(['"batchSize": 50', '"batchSize": 50.5']),
    problems: ['error wrong-value «50.5» training.batchSize: expected a positive integer, got 50.5'],
  },
  {
    what: 'a negative count',
    text: edited(['"batchSize": 50', '"batchSize": -50']),
    problems: ['error wrong-value «-50» training.batchSize: expected a positive integer, got -50'],
  },
  {
    what: 'a percentage in place of a fraction',
    text: edited(['0.98', '98']),
    problems: ['error wrong-value «98» compression.layers.fc1.rate: expected a number in [0, 1), got 98'],
  },
  {
    what: 'a rate of one',
    text: edited(['0.98', '1']),
    problems: ['error wrong-value «1» compression.layers.fc1.rate: expected a number in [0, 1), got 1'],
  },
  {
    what: 'a layer without parameters',
    text: edited(['{ "rate": 0.98 }', '{}']),
    problems: ['error missing-setting «"fc1"» compression.layers.fc1.rate: missing: expected a number in [0, 1)'],
  },
  {
    what: 'a rate in place of parameters',
    text: edited(['{ "rate": 0.98 }', '0.98']),
    problems: ['error wrong-value «0.98» compression.layers.fc1: expected an object, got 0.98'],
  },
  {
    what: 'no layers',
    text: edited([layers, '"layers": {}']),
    problems: ['error wrong-value «{}» compression.layers: expected at least one layer to compress'],
  },
  {
    what: 'layers that are a list',
    text: edited([layers, '"layers": ["fc1"]']),
    problems: ['error wrong-value «["fc1"]» compression.layers: expected an object, got a list'],
  },
  {
    what: 'null',
    text: edited([data, '"data": null']),
    problems: [
      `error wrong-value «null» data: expected an object whose "type" is 'mnist', 'arrays', 'images', 'table', 'module' or 'text', got null`,
    ],
  },
  {
    what: "another method's parameters",
    text: edited(['"rate": 0.98', '"rank": 10']),
    problems: [
      'error missing-setting «"fc1"» compression.layers.fc1.rate: missing: expected a number in [0, 1)',
      'error unknown-setting «"rank"» compression.layers.fc1.rank: unknown setting; expected rate, pattern, block',
    ],
  },
  {
    what: 'no method',
    text: edited(['"method": "prune",', '']),
    problems: [
      `error missing-setting «"compression"» compression.method: missing: expected 'prune', 'quantize', 'low-rank', 'nuclear-norm', 'group-lasso' or 'custom'`,
    ],
  },
  {
    what: 'no distortion step',
    text: edited(['"distortEvery": 10,', '']),
    problems: ['error missing-setting «"compression"» compression.distortEvery: missing: expected a positive integer'],
  },
  {
    what: 'too many bits',
    text: edited(quantize('"fc1": { "bits": 9 }')),
    problems: ['error wrong-value «9» compression.layers.fc1.bits: expected an integer from 1 to 8, got 9'],
  },
  {
    what: 'steps and epochs',
    text: edited(['"steps": 20000', '"steps": 20000, "epochs": 3']),
    problems: ['error alternatives «"epochs"» training.epochs: expected either "steps" or "epochs"'],
  },
  {
    what: 'neither steps nor epochs',
    text: edited(['"steps": 20000', '"seed": 1']),
    problems: ['error missing-setting «"training"» training.steps: missing: expected a positive integer, or "epochs"'],
  },
  {
    what: 'an optimizer by its name alone',
    text: edited([adam, '"adam"']),
    problems: [
      `error wrong-value «"adam"» training.optimizer: expected an object whose "type" is 'sgd', 'adam', 'rmsprop' or 'adagrad', got "adam"`,
    ],
  },
  {
    what: "another optimizer's setting",
    text: edited([adam, '{ "type": "adam", "nesterov": true }']),
    problems: [
      'error unknown-setting «"nesterov"» training.optimizer.nesterov: unknown setting; expected type, learningRate, beta1, beta2, epsilon, weightDecay',
    ],
  },
  {
    what: 'data without a path',
    text: edited([data, '"data": { "type": "mnist" }']),
    problems: ['error missing-setting «"data"» data.path: missing: expected a non-empty string'],
  },
  {
    what: 'data of an unknown type',
    text: edited(['"type": "mnist"', '"type": "cifar"']),
    problems: [
      `error wrong-value «"cifar"» data.type: expected 'mnist', 'arrays', 'images', 'table', 'module' or 'text', got "cifar"`,
    ],
  },
  {
    what: 'no training',
    text: edited([`${training},`, '']),
    problems: ['error missing-setting «{» training: missing: expected an object'],
  },
  {
    what: 'a layer that is misspelt',
    text: edited(['"fc2"', '"fk2"']),
    problems: [
      `error matches-nothing «"fk2"» compression.layers.fk2: matches no layer of the model. Did you mean "fc2"? The model's layers are: fc1, fc2, fc3.`,
    ],
  },
  {
    what: 'a layer that the model does not have',
    text: edited(['"fc2"', '"encoder"']),
    problems: [
      `error matches-nothing «"encoder"» compression.layers.encoder: matches no layer of the model. The model's layers are: fc1, fc2, fc3.`,
    ],
  },
  {
    what: 'a glob that matches nothing',
    text: edited(['"fc2"', '"conv*"']),
    problems: [
      `error matches-nothing «"conv*"» compression.layers.conv*: matches no layer of the model. The model's layers are: fc1, fc2, fc3.`,
    ],
  },
  {
    what: 'a weight that is misspelt',
    text: edited(['"fc2"', '"fc2/kernl"']),
    problems: [
      `error matches-nothing «"fc2/kernl"» compression.layers.fc2/kernl: matches no layer of the model. Did you mean "fc2/kernel"? Matrices of fc2 are: fc2/kernel.`,
    ],
  },
  {
    what: 'a bias',
    text: edited(['"fc2"', '"fc2/bias"']),
    problems: [
      'error matches-vectors «"fc2/bias"» compression.layers.fc2/bias: matches only fc2/bias, which cannot be compressed. Biases and other vectors stay as they are; name a layer with a matrix.',
    ],
  },
  {
    what: 'two globs for one layer',
    text: edited(['"fc1"', '"fc*"'], ['"fc2"', '"*2"']),
    problems: [
      'error matched-twice «"*2"» compression.layers.*2: matches fc2/kernel, and so does "fc*". Narrow one of them, or add "fc2/kernel" itself: an exact name wins.',
    ],
  },
  { what: 'a name beside a glob, which it wins over', text: edited(['"fc1"', '"fc*"']), problems: [] },
  {
    what: 'a rate that makes nothing zero',
    text: edited(['0.9 }', '0.00001 }'], ['"initialRate": 0.25, ', '']),
    problems: [
      'warning idle-rate «0.00001» compression.layers.fc2.rate: leaves all 30,000 weights of fc2/kernel as they are',
    ],
  },
  {
    what: 'units of which none can go',
    text: edited(prune('"fc3": { "rate": 0.05, "pattern": "unit" }')),
    problems: [
      'warning idle-rate «0.05» compression.layers.fc3.rate: leaves all 1,000 weights of fc3/kernel as they are',
    ],
  },
  {
    what: 'patterns that fit',
    text: edited(
      prune(
        '"fc1": { "pattern": "2:4" }, "fc2": { "pattern": "block", "block": [4, 4], "rate": 0.9 }, "fc3": { "rate": 0.5, "pattern": "unit" }',
      ),
    ),
    problems: [],
  },
  {
    what: 'a pattern that is none',
    text: edited(prune('"fc1": { "pattern": "2 of 4", "rate": 0.5 }, "fc2": { "pattern": "blok", "rate": 0.5 }')),
    problems: [
      `error wrong-value «"2 of 4"» compression.layers.fc1.pattern: expected 'element', 'block' or 'unit' or N:M as in '2:4', got "2 of 4"`,
      `error wrong-value «"blok"» compression.layers.fc2.pattern: expected 'element', 'block' or 'unit' or N:M as in '2:4', got "blok"; did you mean 'block'?`,
    ],
  },
  {
    what: 'as many weights kept as there are in a group',
    text: edited(prune('"fc1": { "pattern": "4:4" }')),
    problems: ['error wrong-value «"4:4"» compression.layers.fc1.pattern: expected N below M in N:M, got "4:4"'],
  },
  {
    what: 'a rate beside a pattern that has one',
    text: edited(prune('"fc1": { "pattern": "1:4", "rate": 0.9 }')),
    problems: [
      'error combination «"rate"» compression.layers.fc1.rate: the pattern "1:4" has the rate 0.75; leave it out',
    ],
  },
  {
    what: 'no rate',
    text: edited(prune('"fc1": { "pattern": "unit" }, "fc2": {}')),
    problems: [
      'error missing-setting «"fc1"» compression.layers.fc1.rate: missing: expected a number in [0, 1)',
      'error missing-setting «"fc2"» compression.layers.fc2.rate: missing: expected a number in [0, 1)',
    ],
  },
  {
    what: 'a block that is not there, and one that is not asked for',
    text: edited(prune('"fc1": { "pattern": "block", "rate": 0.5 }, "fc2": { "rate": 0.5, "block": [2, 2] }')),
    problems: [
      'error missing-setting «"fc1"» compression.layers.fc1.block: missing: expected [rows, columns] of a block, for example [4, 4]',
      'error combination «"block"» compression.layers.fc2.block: only the pattern "block" has blocks; leave it out',
    ],
  },
  {
    what: 'a pattern that is larger than the matrix',
    text: edited(prune('"fc1": { "pattern": "2:99" }, "fc3": { "pattern": "block", "block": [11, 1], "rate": 0.5 }')),
    problems: [
      'error pattern-too-large «[11, 1]» compression.layers.fc3.block: fc3/kernel is a [10, 100] matrix: expected a block within it, got [11, 1]',
    ],
  },
  {
    what: 'several rates and patterns under one threshold',
    text: edited(
      prune(
        '"fc1": { "rate": 0.9 }, "fc2": { "rate": 0.8 }, "fc3": { "rate": 0.9, "pattern": "unit" }',
        '"scope": "model", ',
      ),
    ),
    problems: [
      'error combination «0.8» compression.layers.fc2.rate: expected the rate 0.9 as in "fc1": with "scope": "model" all layers share one threshold',
      'error combination «"unit"» compression.layers.fc3.pattern: expected the pattern "element" as in "fc1": with "scope": "model" all layers share one threshold',
    ],
  },
  {
    what: 'one threshold for a pattern without one',
    text: edited(prune('"*": { "pattern": "2:4" }', '"scope": "model", ')),
    problems: [
      'error combination «"2:4"» compression.layers.*.pattern: chooses within each 4 weights, so that there is no threshold to share; leave out "scope": "model"',
    ],
  },
  {
    what: 'a small layer under the threshold of all',
    text: edited(prune('"*": { "rate": 0.00001 }', '"scope": "model", ')),
    problems: [],
  },
  {
    what: 'settings of another policy',
    text: edited(prune('"*": { "rate": 0.5 }', '"surgery": { "gamma": 0.001 }, ')),
    problems: [
      'error combination «"surgery"» compression.surgery: belongs to the policy "dynamic-surgery"; leave it out',
    ],
  },
  {
    what: 'a fraction that regrows that is 1, and a setting of another policy',
    text: edited(prune('"*": { "rate": 0.5 }', '"policy": "rigl", "surgery": {}, "regrowth": { "fraction": 1 }, ')),
    problems: [
      'error combination «"surgery"» compression.surgery: belongs to the policy "dynamic-surgery"; leave it out',
      'error wrong-value «1» compression.regrowth.fraction: expected a number in [0, 1), got 1',
    ],
  },
  {
    what: 'a policy that needs a threshold',
    text: edited(
      prune(
        '"fc1": { "pattern": "2:4" }, "fc2": { "rate": 0.5 }',
        '"policy": "dynamic-surgery", "surgery": { "gamma": -1 }, ',
      ),
    ),
    problems: [
      'error wrong-value «-1» compression.surgery.gamma: expected a number of at least 0, got -1',
      'error combination «"fc1"» compression.layers.fc1: "dynamic-surgery" needs a threshold, and this pattern has none',
    ],
  },
  {
    what: 'a criterion that is none',
    text: edited(prune('"*": { "rate": 0.5 }', '"criterion": "gradient", ')),
    problems: [
      `error wrong-value «"gradient"» compression.criterion: expected 'magnitude', 'movement' or 'taylor', got "gradient"`,
    ],
  },
  {
    what: 'a rate below the initial one',
    text: edited(['0.9 }', '0.2 }']),
    problems: [
      'warning falling-rate «0.25» compression.schedule.initialRate: expected at most the target rate of every layer, got 0.25: that of "fc2" would fall to 0.2',
    ],
  },
  {
    what: 'a rank above break-even',
    text: edited(lowRank('"fc1": { "rank": 250 }')),
    problems: [
      'warning rank-above-break-even «250» compression.layers.fc1.rank: makes fc1/kernel larger: 271,000 numbers instead of 235,200; below rank 216.974 = mn / (m + n) it becomes smaller',
    ],
  },
  {
    // 30,000 / 400 = 75 makes it no smaller: 74 is the highest that does.
    what: 'a rank above break-even that is a whole number',
    text: edited(lowRank('"fc2": { "rank": 80 }')),
    problems: [
      'warning rank-above-break-even «80» compression.layers.fc2.rank: makes fc2/kernel larger: 32,000 numbers instead of 30,000; below rank 75 = mn / (m + n) it becomes smaller',
    ],
  },
  {
    what: 'a rank above that of the matrix',
    text: edited(lowRank('"fc1": { "rank": 301 }')),
    problems: [
      'error rank-too-high «301» compression.layers.fc1.rank: fc1/kernel is a [784, 300] matrix: expected at most 300, got 301',
    ],
  },
  {
    what: 'a rank above break-even of two layers',
    text: edited(lowRank('"fc[12]": { "rank": 217 }')),
    problems: [
      'error rank-too-high «217» compression.layers["fc[12]"].rank: fc2/kernel is a [300, 100] matrix: expected at most 100, got 217',
    ],
  },
  { what: 'a rank below break-even', text: edited(lowRank('"fc1": { "rank": 64 }')), problems: [] },
  {
    what: 'a shared projection of a dense layer',
    text: edited(lowRank('"fc1": { "rank": 64, "sharedProjection": true }')),
    problems: [
      "error no-shared-projection «true» compression.layers.fc1.sharedProjection: fc1/kernel has no partner with the same rank to share a projection with. A shared projection joins a layer's recurrent_kernel and the kernel of the layer that its output goes to: give both the same rank and sharedProjection, or leave sharedProjection out.",
    ],
  },
  {
    what: 'a shared projection above the rank of its recurrent weight',
    text: edited(lstm, [data, text], lowRank('"*": { "rank": 5, "sharedProjection": true }'), ['1e-3', '1e-3']),
    problems: [
      'error rank-too-high «5» compression.layers.*.rank: lstm1/recurrent_kernel is a [4, 16] matrix: expected at most 4, got 5',
    ],
  },
  {
    what: 'a shared projection of one weight of two',
    text: edited(lstm, [data, text], lowRank('"lstm1/kernel": { "rank": 2, "sharedProjection": true }')),
    problems: [
      "error no-shared-projection «true» compression.layers.lstm1/kernel.sharedProjection: lstm1/kernel has no partner with the same rank to share a projection with. A shared projection joins a layer's recurrent_kernel and the kernel of the layer that its output goes to: give both the same rank and sharedProjection, or leave sharedProjection out.",
    ],
  },
  {
    what: 'bits whose scales take more than is saved',
    text: edited(lstm, [data, text], quantize('"softmax": { "bits": 8 }')),
    problems: [
      'warning bits-make-larger «8» compression.layers.softmax.bits: makes softmax/kernel larger: 324 bytes instead of 144; besides the codes, it needs 72 numbers of 32 bits',
    ],
  },
  {
    what: 'buckets so small that their scales take more than is saved',
    text: edited(quantize('"fc1": { "levels": "uniform", "bits": 4, "bucket": 2 }')),
    problems: [
      'warning bits-make-larger «4» compression.layers.fc1.bits: makes fc1/kernel larger: 1,058,400 bytes instead of 940,800; besides the codes, it needs 235,200 numbers of 32 bits',
    ],
  },
  {
    what: 'a bucket of more numbers than the weight',
    text: edited(quantize('"*": { "levels": "uniform", "bits": 4, "bucket": 5000 }')),
    problems: [
      'warning bucket-above-weight «5000» compression.layers.*.bucket: fc3/kernel has 1,000 numbers: all of them are one bucket',
    ],
  },
  {
    what: 'a bucket that is not given',
    text: edited(quantize('"*": { "levels": "uniform", "bits": 4 }')),
    problems: [],
  },
  {
    what: 'levels that are misspelt',
    text: edited(quantize('"fc1": { "levels": "unifrom", "bits": 4 }')),
    problems: [
      `error wrong-value «"unifrom"» compression.layers.fc1.levels: expected 'binary', 'uniform', 'points', 'fixed-point' or 'power-of-two', got "unifrom"; did you mean 'uniform'?`,
    ],
  },
  {
    what: 'a setting of other levels',
    text: edited(quantize('"fc1": { "bits": 4, "bucket": 64 }')),
    problems: [
      'error unknown-setting «"bucket"» compression.layers.fc1.bucket: unknown setting; expected levels, bits, algorithm, scales, iterations',
    ],
  },
  {
    what: 'more bits than a code has',
    text: edited(quantize('"fc1": { "levels": "uniform", "bits": 9 }')),
    problems: ['error wrong-value «9» compression.layers.fc1.bits: expected an integer from 1 to 8, got 9'],
  },
  {
    what: 'one bit of a fixed-point number, which has a sign',
    text: edited(quantize('"fc1": { "levels": "fixed-point", "bits": 1 }')),
    problems: ['error wrong-value «1» compression.layers.fc1.bits: expected an integer from 2 to 8, got 1'],
  },
  {
    what: 'half a bit of a fraction',
    text: edited(quantize('"fc1": { "levels": "fixed-point", "bits": 8, "fractionBits": 4.5 }')),
    problems: [
      'error wrong-value «4.5» compression.layers.fc1.fractionBits: expected an integer from -64 to 64, got 4.5',
    ],
  },
  {
    what: 'a bucket that is none',
    text: edited(quantize('"fc1": { "levels": "uniform", "bits": 4, "bucket": "rows" }')),
    problems: [
      `error wrong-value «"rows"» compression.layers.fc1.bucket: expected a positive integer or 'row' or 'tensor', got "rows"`,
    ],
  },
  {
    what: 'more levels than codes',
    text: edited(quantize('"fc1": { "levels": "points", "bits": 2, "points": 5 }')),
    problems: ['error combination «5» compression.layers.fc1.points: expected 3 to 4 with 2 bits, got 5'],
  },
  {
    what: 'levels of which a bit less would do',
    text: edited(quantize('"fc1": { "levels": "uniform", "bits": 4, "points": 3 }')),
    problems: ['error combination «3» compression.layers.fc1.points: expected 9 to 16 with 4 bits, got 3'],
  },
  {
    what: 'trained points of binary codes',
    text: edited(
      method('"method": "quantize", "policy": "points", "distortEvery": 10, "layers": { "fc1": { "bits": 4 } }'),
    ),
    problems: [
      'error combination «"fc1"» compression.layers.fc1.levels: the policy "points" needs "levels": "points" in each layer',
    ],
  },
  {
    what: 'trained points of a low rank',
    text: edited(
      method('"method": "low-rank", "policy": "points", "distortEvery": 10, "layers": { "fc1": { "rank": 8 } }'),
    ),
    problems: [
      'error combination «"points"» compression.policy: "points" works with the method quantize only, got "low-rank"',
    ],
  },
  {
    what: 'the low learning rate of points, which have sums of gradients',
    text: edited(
      method(
        '"method": "quantize", "policy": "points", "distortEvery": 10, "layers": { "fc1": { "levels": "points", "bits": 4 } }',
      ),
      [adam, '{ "type": "sgd", "learningRate": 1e-6, "momentum": 0.9 }'],
    ),
    problems: [],
  },
  {
    what: 'settings of straight-through training without it',
    text: edited(
      method(
        '"method": "quantize", "distortEvery": 10, "layers": { "fc1": { "bits": 4 } }, "straightThrough": { "every": 2 }',
      ),
    ),
    problems: [
      'error combination «"straightThrough"» compression.straightThrough: belongs to the policy "straight-through"; leave it out',
    ],
  },
  {
    what: 'points by gradients that are not trained',
    text: edited(
      method(
        '"method": "quantize", "distortEvery": 10, "layers": { "fc1": { "levels": "points", "bits": 4 } }, "pointsByGradient": {}',
      ),
    ),
    problems: [
      'error combination «"pointsByGradient"» compression.pointsByGradient: belongs to the policy "points"; leave it out',
    ],
  },
  {
    what: 'no step whose gradients would tell how many points there are',
    text: edited(
      method(
        '"method": "quantize", "policy": "points", "distortEvery": 10, "layers": { "fc1": { "levels": "points", "bits": 4 } }, "pointsByGradient": { "steps": 0 }',
      ),
      [adam, '{ "type": "sgd", "learningRate": 1e-6, "momentum": 0.9 }'],
    ),
    problems: ['error wrong-value «0» compression.pointsByGradient.steps: expected a positive integer, got 0'],
  },
  {
    what: 'points that alternate with levels between the ends of buckets that there are not',
    text: edited(
      method(
        '"method": "quantize", "policy": "alternating-points", "distortEvery": 10, "layers": { "fc1": { "levels": "points", "bits": 4, "bucket": "none" } }',
      ),
      [adam, '{ "type": "sgd", "learningRate": 1e-6, "momentum": 0.9 }'],
    ),
    problems: [
      'error combination «"none"» compression.layers.fc1.bucket: the policy "alternating-points" has levels between the ends of buckets, and "none" has no ends; "tensor" makes the weight one bucket',
    ],
  },
  {
    what: 'the gradient of a scale that binary codes do not have',
    text: edited(
      method(
        '"method": "quantize", "policy": "straight-through", "distortEvery": 10, "layers": { "fc1": { "levels": "binary", "bits": 4 } }, "straightThrough": { "gradient": "exact-scale" }',
      ),
    ),
    problems: [
      'error combination «"binary"» compression.layers.fc1.levels: compression.straightThrough.gradient "exact-scale" needs "levels": "uniform" in each layer',
    ],
  },
  { what: 'bits with one set of scales', text: edited(quantize('"fc1": { "bits": 2 }')), problems: [] },
  {
    what: 'proximal steps once an epoch, which is the default',
    text: edited(method('"method": "nuclear-norm", "layers": { "fc1": { "tau": 5 } }'), sgd, inEpochs),
    problems: [],
  },
  {
    what: 'proximal steps with another optimizer than they belong to',
    text: edited(method('"method": "nuclear-norm", "layers": { "fc1": { "tau": 5 } }'), inEpochs),
    problems: [
      'warning proximal-optimizer «"adam"» training.optimizer.type: the proximal steps of "nuclear-norm" belong to "sgd": with "adam", which scales the step of each weight by its own gradients, a threshold of learning rate x strength is a rule of thumb',
    ],
  },
  {
    what: 'a single proximal step',
    text: edited(
      method('"method": "nuclear-norm", "policy": "one-shot", "layers": { "fc1": { "tau": 5 } }'),
      sgd,
      inEpochs,
    ),
    problems: [
      'warning one-proximal-step «"one-shot"» compression.policy: cuts learning rate x tau only once: no training step finds a structure that way',
    ],
  },
  {
    what: 'strengths below 0, shares above 1 and an energy of 0',
    text: edited(method('"method": "nuclear-norm", "energy": 0, "layers": { "fc1": { "tau": -1 } }'), sgd, inEpochs),
    problems: [
      'error wrong-value «0» compression.energy: expected a number in (0, 1], got 0',
      'error wrong-value «-1» compression.layers.fc1.tau: expected a number of at least 0, got -1',
    ],
  },
  {
    what: 'a share of the sparse group lasso above 1',
    text: edited(groupLasso('"fc1": { "lambda": 0.1, "alpha": 1.2 }'), sgd, inEpochs),
    problems: ['error wrong-value «1.2» compression.layers.fc1.alpha: expected a number in [0, 1], got 1.2'],
  },
  {
    what: 'a group lasso on one of the two kernels of a recurrent layer',
    text: edited(lstm, [data, text], groupLasso('"lstm1/kernel": { "lambda": 0.1 }'), sgd, inEpochs),
    problems: [
      'error cannot-take «"lstm1/kernel"» compression.layers.lstm1/kernel: names lstm1/kernel without lstm1/recurrent_kernel, and the units of lstm1 are rows of both. Name the layer: "lstm1" gives all of it the same strengths.',
    ],
  },
  {
    what: 'a group lasso with different strengths for the kernels of a recurrent layer',
    text: edited(
      lstm,
      [data, text],
      groupLasso('"lstm1": { "lambda": 0.1 }, "lstm1/recurrent_kernel": { "lambda": 0.2 }'),
      sgd,
      inEpochs,
    ),
    problems: [
      'error cannot-take «"lstm1/recurrent_kernel"» compression.layers.lstm1/recurrent_kernel: gives lstm1/recurrent_kernel other strengths than lstm1/kernel has, and the units of lstm1 are rows of both. Name the layer: "lstm1" gives all of it the same strengths.',
    ],
  },
  {
    what: 'a thinning without a time, and one of another unit',
    text: edited(thin('"at": [], "unit": "days"'), sgd, inEpochs),
    problems: [
      'error wrong-value «[]» thin.at: expected a list of 1 number or more, got an empty list',
      `error wrong-value «"days"» thin.unit: expected 'steps' or 'epochs', got "days"`,
    ],
  },
  {
    what: 'thinnings at no epoch and at the end of the training',
    text: edited(thin('"at": [0, 2, 10, 2.5]'), sgd, inEpochs),
    problems: [
      'error wrong-value «0» thin.at[0]: expected a positive integer, got 0',
      'error times «10» thin.at[2]: expected below training.epochs (10), got 10',
      'error wrong-value «2.5» thin.at[3]: expected a positive integer, got 2.5',
    ],
  },
  {
    what: 'a thinning of what no compression makes 0',
    text: edited(thin('"at": [2]', '"method": "nuclear-norm", "layers": { "fc1": { "tau": 10 } }'), sgd, inEpochs),
    problems: [
      'error combination «"thin"» thin: no compression makes units 0 while the model trains; add one with the method "group-lasso" or "custom" and the policy "deeptwist"',
    ],
  },
  {
    what: 'a thinning of what is compressed once, at the end',
    text: edited(
      thin(
        '"at": [2]',
        '"method": "quantize", "policy": "one-shot", "distortEvery": 10, "layers": { "fc1": { "bits": 2 } }',
      ),
      inEpochs,
    ),
    problems: [
      'error combination «"thin"» thin: no compression makes units 0 while the model trains; add one with the method "group-lasso" or "custom" and the policy "deeptwist"',
    ],
  },
  {
    what: 'a thinning beside a pruning rate, which would prune what is left again',
    text: edited([data, `${data}, "thin": { "at": [2] }`], inEpochs),
    problems: [
      'error combination «"prune"» compression.method: what "prune" leaves is counted by the size of a layer, which thin makes smaller while the model trains; leave thin out, and run `deeptwist thin` when the run is finished',
    ],
  },
  {
    what: 'a thinning beside points that are trained in the place of weights',
    text: edited(
      [
        compression,
        '"thin": { "at": [2] }, "compression": [' +
          '{ "method": "group-lasso", "layers": { "fc1": { "lambda": 1 } } },' +
          '{ "method": "quantize", "policy": "points", "distortEvery": 10, "layers": { "fc2": { "bits": 2, "levels": "points" } } }]',
      ],
      [adam, '{ "type": "sgd", "learningRate": 1e-6 }'],
      inEpochs,
    ),
    problems: [
      'error combination «"points"» compression[1].policy: "points" trains something else in the place of weights, which thin makes smaller while the model trains; choose another policy',
    ],
  },
  {
    what: 'straight-through training of what shrinks step by step',
    text: edited(
      method('"method": "group-lasso", "policy": "straight-through", "layers": { "fc1": { "lambda": 1 } }'),
      sgd,
      inEpochs,
    ),
    problems: [
      'error combination «"straight-through"» compression.policy: "straight-through" works with the method prune, quantize, low-rank, custom only, got "group-lasso"',
    ],
  },
  {
    what: 'a schedule from its end',
    text: edited(['"from": 8000', '"from": 13000']),
    problems: [
      'error times «13000» compression.schedule.from: expected below compression.schedule.to (13000), got 13000',
    ],
  },
  {
    what: 'a schedule that ends after training',
    text: edited(['"to": 13000', '"to": 30000']),
    problems: ['error times «30000» compression.schedule.to: expected at most training.steps (20000), got 30000'],
  },
  {
    what: 'a distortion step longer than training',
    text: edited(['"distortEvery": 10', '"distortEvery": 30000']),
    problems: ['error times «30000» compression.distortEvery: expected at most training.steps (20000), got 30000'],
  },
  {
    what: 'a distortion step longer than the schedule',
    text: edited(['"distortEvery": 10', '"distortEvery": 6000']),
    problems: [
      'information ends-between-distortions «20000» training.steps: is no multiple of distortEvery (6000 steps): the run ends with a distortion only 2000 steps after the one before it',
      'warning schedule-too-short «6000» compression.distortEvery: is larger than the schedule of 5000 steps: the rate jumps to its target at once',
    ],
  },
  {
    what: 'a schedule of few distortions',
    text: edited(['"distortEvery": 10', '"distortEvery": 1000']),
    problems: [
      'warning few-distortions «1000» compression.distortEvery: leaves 5 distortions while the rate rises (steps 8000 to 13000): gradual pruning takes at least 10',
    ],
  },
  {
    what: 'a schedule of few epochs, whose length is known',
    text: edited(
      [schedule, '{ "to": 2, "unit": "epochs" }'],
      ['"distortEvery": 10', '"distortEvery": 400'],
      ['"steps": 20000', '"epochs": 20'],
    ),
    problems: [
      'warning few-distortions «400» compression.distortEvery: leaves 6 distortions while the rate rises (steps 0 to 2400): gradual pruning takes at least 10',
    ],
  },
  {
    what: 'a schedule of few distortions that are given in epochs',
    text: edited(
      [schedule, '{ "to": 5 }'],
      ['"distortEvery": 10', '"distortEvery": 1, "unit": "epochs"'],
      ['"steps": 20000', '"epochs": 20'],
    ),
    problems: [
      'warning few-distortions «1» compression.distortEvery: leaves 5 distortions while the rate rises (steps 0 to 6000): gradual pruning takes at least 10',
    ],
  },
  {
    what: 'a distortion after every step',
    text: edited(['"distortEvery": 10', '"distortEvery": 1']),
    problems: [
      'warning no-step-to-recover «1» compression.distortEvery: distorts after every step: weights have no step to recover in between (the DeepTwist paper: 5 to 2000)',
    ],
  },
  {
    what: 'no step to recover',
    text: edited(['"to": 13000', '"to": 20000']),
    problems: [
      'warning no-step-to-recover «20000» compression.schedule.to: comes with the end of training (step 20000): the target rate is reached with no step left to recover from it',
    ],
  },
  {
    what: 'one distortion after the schedule to recover from',
    text: edited(['"to": 13000', '"to": 19990']),
    problems: [],
  },
  {
    what: 'training that ends between distortions',
    text: edited(['"steps": 20000', '"steps": 20003']),
    problems: [
      'information ends-between-distortions «20003» training.steps: is no multiple of distortEvery (10 steps): the run ends with a distortion only 3 steps after the one before it',
    ],
  },
  {
    what: 'few distortions of a policy that does not distort while it trains',
    text: edited(['"distortEvery": 10', '"policy": "one-shot", "distortEvery": 7000']),
    problems: [],
  },
  {
    what: 'more threads than any machine needs',
    text: edited(['"batchSize": 50', '"batchSize": 50, "threads": 2000']),
    problems: ['error wrong-value «2000» training.threads: expected an integer from 1 to 256, got 2000'],
  },
  {
    what: 'a learning rate that is high for Adam',
    text: edited(['1e-3', '0.1']),
    problems: [
      'warning unusual-learning-rate «0.1» training.optimizer.learningRate: 0.1 is high for adam: usual is 0.001; the DeepTwist paper gives no rate for its LeNets',
    ],
  },
  {
    what: 'a learning rate that is low for Adam',
    text: edited(['1e-3', '1e-9']),
    problems: [
      'warning unusual-learning-rate «1e-9» training.optimizer.learningRate: 1e-9 is low for adam: usual is 0.001; the DeepTwist paper gives no rate for its LeNets',
    ],
  },
  {
    what: 'a learning rate that is high for SGD',
    text: edited([adam, '{ "type": "sgd", "learningRate": 20 }']),
    problems: [
      'warning unusual-learning-rate «20» training.optimizer.learningRate: 20 is high for sgd: usual is 0.01 to 0.1',
    ],
  },
  {
    // A mean over 20 time steps has a 20th of the gradient of their sum.
    what: 'a learning rate of 100 for the mean over time steps',
    text: edited(lstm, [data, text], [adam, '{ "type": "sgd", "learningRate": 100 }'], [compression, '"observe": {}']),
    problems: [],
  },
  {
    what: 'a learning rate of 100 for the sum over time steps',
    text: edited(
      lstm,
      [data, text],
      [adam, '{ "type": "sgd", "learningRate": 100 }, "lossReduction": "sum-over-time"'],
      [compression, '"observe": {}'],
    ),
    problems: [
      'warning unusual-learning-rate «100» training.optimizer.learningRate: 100 is high for sgd: the DeepTwist paper trains LSTM language models by SGD with 1 to 2.6, and with 20 to quantize them',
    ],
  },
  {
    what: 'a learning rate of SGD for a text, from the paper',
    text: edited(lstm, [data, text], [adam, '{ "type": "sgd", "learningRate": 20 }'], [compression, '"observe": {}']),
    problems: [],
  },
  {
    what: 'data that are not there',
    text: edited(['./mnist', './mnits']),
    problems: [
      'error no-such-file «"./mnits"» data.path: ./mnits not found (relative to this file); did you mean "mnist"?',
    ],
  },
  {
    what: 'data that are nowhere near',
    text: edited(['./mnist', '../../nowhere/data']),
    problems: [
      'error no-such-file «"../../nowhere/data"» data.path: ../../nowhere/data not found (relative to this file)',
    ],
  },
  {
    what: 'a model that is not there',
    text: edited([model, '"model": "./modle.ts"']),
    problems: [
      'error no-such-file «"./modle.ts"» model: ./modle.ts not found (relative to this file); did you mean "model.ts"?',
    ],
  },
  {
    what: 'a built-in model that is misspelt',
    text: edited([model, '"model": "builtin:lenet300-100"']),
    problems: [
      'error no-such-builtin «"builtin:lenet300-100"» model: no built-in model has this name; did you mean "builtin:lenet-300-100"?',
    ],
  },
  {
    what: 'a language model for images',
    text: edited([model, '"model": "builtin:lstm-lm-small"']),
    problems: [
      'error no-text «"builtin:lstm-lm-small"» model: the language model is made for a text, and data are of type "mnist"',
    ],
  },
  {
    what: 'arrays that are not there',
    text: edited([
      data,
      '"data": { "type": "arrays", "train": { "inputs": "x.npy", "targets": "y.npy" }, "test": { "inputs": "arrays.npz:x", "targets": "array.npz:y" } }',
    ]),
    problems: [
      'error no-such-file «"y.npy"» data.train.targets: y.npy not found (relative to this file); did you mean "x.npy"?',
      'error no-such-file «"array.npz:y"» data.test.targets: array.npz not found (relative to this file); did you mean "arrays.npz"?',
    ],
  },
  {
    what: 'columns that are not there',
    text: edited([
      data,
      '"data": { "type": "table", "path": "./pets.csv", "target": "knd", "columns": ["hieght", "fur"], "kinds": { "furcolour": "category" } }',
    ]),
    problems: [
      'error no-such-column «"knd"» data.target: the table has no column of this name; did you mean "kind"?',
      'error no-such-column «"hieght"» data.columns[0]: the table has no column of this name; did you mean "height"?',
      'error no-such-column «"fur"» data.columns[1]: the table has no column of this name; there are height, fur colour, kind',
      'error no-such-column «"furcolour"» data.kinds.furcolour: the table has no column of this name; did you mean "fur colour"?',
    ],
  },
  {
    what: 'columns that are not there, of an input of several',
    text: edited([
      data,
      '"data": { "type": "table", "path": "./pets.csv", "target": "kind", "inputs": { "a": ["height"], "b": ["height", "furcolour"] } }',
    ]),
    problems: [
      'error no-such-column «"furcolour"» data.inputs.b[1]: the table has no column of this name; did you mean "fur colour"?',
    ],
  },
  {
    what: 'a vocabulary that is not there',
    text: edited(lstm, [
      data,
      '"data": { "type": "text", "path": "./brown", "vocabulary": { "file": "word.txt" }, "timeSteps": 20 }',
    ]),
    problems: [
      'error no-such-file «"word.txt"» data.vocabulary.file: word.txt not found (relative to this file); did you mean "words.txt"?',
      `error matches-nothing «"fc1"» compression.layers.fc1: matches no layer of the model. The model's layers are: lstm1, softmax.`,
      `error matches-nothing «"fc2"» compression.layers.fc2: matches no layer of the model. The model's layers are: lstm1, softmax.`,
    ],
  },
  {
    what: 'a module of distortions that is not there',
    text: edited(method('"method": "custom", "distortEvery": 10, "module": "./ternary.ts", "layers": { "fc1": {} }')),
    problems: [
      'error no-such-file «"./ternary.ts"» compression.module: ./ternary.ts not found (relative to this file)',
    ],
  },
  {
    what: 'weights that are not there',
    text: edited([model, `${model}, "start": "./base.safetensors"`]),
    problems: ['error no-such-file «"./base.safetensors"» start: ./base.safetensors not found (relative to this file)'],
  },
  {
    what: 'weights with other names that are not there',
    text: edited([model, `${model}, "start": { "from": "./net.pt", "rename": { "a.*": "fc1.*" } }`]),
    problems: ['error no-such-file «"./net.pt"» start.from: ./net.pt not found (relative to this file)'],
  },
  {
    what: 'a run whose weights have other names, which is not there',
    text: edited([model, `${model}, "start": { "from": "run:nothing" }`]),
    problems: [
      'error no-such-run «"run:nothing"» start.from: no run has this id, and no run is of an experiment with this name',
    ],
  },
  {
    what: 'a new name with more stars than the old one',
    text: edited([model, `${model}, "start": { "from": "run:base", "rename": { "a.*": "*.fc1.*", "b": null } }`]),
    problems: [
      'error combination «"*.fc1.*"» start.rename["a.*"]: it has 2 of *, and the name that it is for has 1: each stands for the text of one there',
    ],
  },
  {
    what: 'a new name that is none',
    text: edited([model, `${model}, "start": { "from": "run:base", "rename": { "a": "", "b": 1 } }`]),
    problems: [
      'error wrong-value «""» start.rename.a: expected a non-empty string or null, got ""',
      'error wrong-value «1» start.rename.b: expected a non-empty string or null, got 1',
    ],
  },
  {
    what: 'a run that is not there',
    text: edited([model, `${model}, "start": "run:nothing"`]),
    problems: [
      'error no-such-run «"run:nothing"» start: no run has this id, and no run is of an experiment with this name',
    ],
  },
  {
    what: 'a run that is misspelt',
    text: edited([model, `${model}, "start": "run:bsae"`]),
    problems: [
      'error no-such-run «"run:bsae"» start: no run has this id, and no run is of an experiment with this name; did you mean "base"?',
    ],
  },
  {
    what: 'a run that was stopped',
    text: edited([model, `${model}, "start": "run:20260101-000000-stopped"`]),
    problems: [
      'error run-not-finished «"run:20260101-000000-stopped"» start: the run 20260101-000000-stopped has no final model: it is stopped',
    ],
  },
  {
    what: 'a run that has not finished',
    text: edited([model, `${model}, "start": "run:20260102-000000-running"`]),
    problems: [
      'warning run-not-finished «"run:20260102-000000-running"» start: the run 20260102-000000-running has not finished yet',
    ],
  },
  {
    what: 'a run of another model',
    text: edited([model, `${model}, "start": "run:20260103-000000-other"`]),
    problems: [
      'error run-does-not-fit «"run:20260103-000000-other"» start: the run 20260103-000000-other does not fit the model: it lacks fc1/kernel, fc1/bias, fc2/kernel and 3 more',
    ],
  },
  { what: 'a run that fits', text: edited([model, `${model}, "start": "run:base"`]), problems: [] },
  {
    what: 'the beginning of the ids of several runs',
    text: edited([model, `${model}, "start": "run:2026"`]),
    problems: ['error ambiguous-run «"run:2026"» start: 4 runs have an id that begins so'],
  },
  {
    what: 'no reference to a run',
    text: edited([model, `${model}, "start": "run:"`]),
    problems: [
      'error no-such-run «"run:"» start: expected the id of a run, or the name of an experiment for its newest run, behind "run:"',
    ],
  },
  {
    what: 'a teacher that is not there',
    text: edited([model, `${model}, "distillation": { "teacher": "run:bsae" }`]),
    problems: [
      'error no-such-run «"run:bsae"» distillation.teacher: no run has this id, and no run is of an experiment with this name; did you mean "base"?',
    ],
  },
  {
    what: 'a teacher that is a file which is not there',
    text: edited([model, `${model}, "distillation": { "teacher": "./base.safetensors" }`]),
    problems: [
      'error no-such-file «"./base.safetensors"» distillation.teacher: ./base.safetensors not found (relative to this file)',
    ],
  },
  {
    what: 'a teacher of another model than the student',
    text: edited([model, `${model}, "distillation": { "teacher": "run:other" }`]),
    problems: [],
  },
  {
    what: 'a teacher whose run was stopped, and whose model is not there',
    text: edited([
      model,
      `${model}, "distillation": { "teacher": { "model": "builtin:lenet-4", "weights": "run:stopped" } }`,
    ]),
    problems: [
      'error no-such-builtin «"builtin:lenet-4"» distillation.teacher.model: no built-in model has this name; did you mean "builtin:lenet-5"?',
      'error run-not-finished «"run:stopped"» distillation.teacher.weights: the run 20260101-000000-stopped has no final model: it is stopped',
    ],
  },
  {
    what: 'a teacher that has never been trained',
    text: edited([model, `${model}, "distillation": { "teacher": "builtin:lenet-5" }`]),
    problems: [
      'error unfit «"builtin:lenet-5"» distillation.teacher: builtin:lenet-5 holds no trained weights; name a run (run:NAME), a model.json, an .onnx, .keras or .h5 file, a .safetensors file with its layers, or a model with its weights: { "model": "builtin:lenet-5", "weights": … }',
    ],
  },
  {
    what: 'values of a distillation out of their range',
    text: edited([
      model,
      `${model}, "distillation": { "teacher": "run:base", "temperature": 0, "weight": 1.2, "ask": "when-sure", "reductoin": "mean" }`,
    ]),
    problems: [
      'error wrong-value «0» distillation.temperature: expected a positive number, got 0',
      'error wrong-value «1.2» distillation.weight: expected a number in [0, 1], got 1.2',
      `error wrong-value «"when-sure"» distillation.ask: expected 'always', 'when-wrong' or 'by-entropy' or an object, got "when-sure"`,
      'error unknown-setting «"reductoin"» distillation.reductoin: unknown setting; did you mean "reduction"?',
    ],
  },
  {
    what: 'a misspelt word where an object could stand',
    text: edited([model, `${model}, "distillation": { "teacher": "run:base", "ask": "when-worng" }`]),
    problems: [
      `error wrong-value «"when-worng"» distillation.ask: expected 'always', 'when-wrong' or 'by-entropy' or an object, got "when-worng"; did you mean 'when-wrong'?`,
    ],
  },
  {
    what: 'a cut-off of the entropy that is negative, and no teacher',
    text: edited([model, `${model}, "distillation": { "ask": { "entropyAbove": -1 } }`]),
    problems: [
      'error missing-setting «"distillation"» distillation.teacher: missing: expected a non-empty string or an object',
      'error wrong-value «-1» distillation.ask.entropyAbove: expected a number of at least 0, got -1',
    ],
  },
  {
    what: 'a teacher for a regression',
    text: edited(
      [model, `${model}, "distillation": { "teacher": "run:base" }`],
      ['"steps": 20000', '"steps": 20000, "loss": "huber"'],
    ),
    problems: [
      'error combination «"distillation"» distillation: it is for classes, one of which a sample belongs to, and not for the loss "huber"; leave it out, or choose one of categorical-crossentropy, sparse-categorical-crossentropy, sparse-categorical-crossentropy-from-logits',
    ],
  },
  {
    what: 'a policy that does not work with the method',
    text: edited(['"prune"', '"prune", "policy": "factors"']),
    problems: [
      'error combination «"factors"» compression.policy: "factors" works with the method low-rank only, got "prune"',
    ],
  },
  {
    what: 'the dense model left out of a run without a compression',
    text: edited(['"steps": 20000', '"steps": 20000, "keep": "compressed"'], [compression, '"observe": {}']),
    problems: [
      'error combination «"compressed"» training.keep: a run without a compression has no compressed form to keep; leave it out',
    ],
  },
  {
    what: 'the best model kept of a run that compresses while it trains',
    text: edited(['"steps": 20000', '"steps": 20000, "keepBest": true']),
    problems: [
      'error combination «true» training.keepBest: a run that compresses while it trains (deeptwist) ends with its last step; leave it out, or compress at once after training with "policy": "one-shot"',
    ],
  },
  {
    what: 'a model without a loss, and none that is named',
    text: edited([model, '"model": "./net.onnx"']),
    problems: [
      'error no-loss «"training"» training: the model brings no loss, and none is set; "loss": "sparse-categorical-crossentropy-from-logits" fits its outputs',
    ],
  },
  {
    what: 'a model without a loss, whose own is asked for',
    text: edited([model, '"model": { "onnx": "./net.onnx" }'], ['"batchSize": 50', '"batchSize": 50, "loss": "auto"']),
    problems: [
      'error no-loss «"auto"» training.loss: the model brings no loss, and none is set; "loss": "sparse-categorical-crossentropy-from-logits" fits its outputs',
    ],
  },
  {
    what: 'a model without a loss, and one that is named',
    text: edited([model, '"model": "./net.onnx"'], ['"batchSize": 50', '"batchSize": 50, "loss": "huber"']),
    problems: [],
  },
  {
    what: 'a loss of classes for a regression',
    text: edited(
      [data, '"data": { "type": "table", "path": "./pets.csv", "target": "height", "task": "regression" }'],
      ['"batchSize": 50', '"batchSize": 50, "loss": "sparse-categorical-crossentropy-from-logits"'],
    ),
    problems: [
      'warning loss-of-classes «"sparse-categorical-crossentropy-from-l…» training.loss: "sparse-categorical-crossentropy-from-logits" is a loss of classes, and the targets of a regression are numbers; "mean-squared-error" fits them',
    ],
  },
  {
    what: 'a module with the name of an export, that is not there',
    text: edited([model, '"model": { "module": "./modle.ts", "export": "net" }']),
    problems: [
      'error no-such-file «"./modle.ts"» model.module: ./modle.ts not found (relative to this file); did you mean "model.ts"?',
    ],
  },
];
