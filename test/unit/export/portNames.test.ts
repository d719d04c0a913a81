import { expect, test } from 'vitest';
import { portNames } from '../../../server/export/portNames.ts';

const namesOf = (inputNames: string[], outputNames: string[], hasNamesOfFile = false) => [
  ...portNames({ inputNames, outputNames, hasNamesOfFile }).values(),
];

test.each([
  [['input3'], ['dense_Dense7'], ['input', 'output']],
  [['dense_Dense1_input'], ['fc2'], ['input', 'fc2']],
  [
    ['input1', 'left'],
    ['model2', 'sequential_1'],
    ['input_1', 'left', 'output_1', 'output_2'],
  ],
])('names that TensorFlow.js made up differ between processes, and are replaced: %j, %j', (inputs, outputs, names) => {
  expect(namesOf(inputs, outputs)).toEqual(names);
});

test('names that somebody chose are kept, as are all of a file', () => {
  expect(namesOf(['enc_Layer0_input', 't1'], ['head_A1'])).toEqual(['enc_Layer0_input', 't1', 'head_A1']);
  expect(namesOf(['input1', 't1'], ['dense_Dense1'], true)).toEqual(['input1', 't1', 'dense_Dense1']);
});

test('a value that comes in and goes out has two names', () => {
  expect(namesOf(['x'], ['x'], true)).toEqual(['x', 'x_']);
  expect(namesOf(['input1'], ['input'])).toEqual(['input', 'input_']);
});
