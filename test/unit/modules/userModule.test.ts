import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { giveUpWaiting } from '../../../server/modules/userCalls.ts';
import { exportedFunction, importUserModule, userCodeError } from '../../../server/modules/userModule.ts';
import { until } from '../../until.ts';
import { userErrorOf } from '../userErrorOf.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'deeptwist module-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('TensorFlow.js inside a user module is the instance of this process, with nothing installed beside it', () => {
  test.each([
    ['a.ts', "import * as tf from '@tensorflow/tfjs'; const layers: typeof tf.layers = tf.layers; export { tf };"],
    ['b.mjs', "import tf from '@tensorflow/tfjs'; await Promise.resolve(); export { tf };"],
    ['c.cjs', "exports.tf = require('@tensorflow/tfjs');"],
    ['d.js', "import * as tf from '@tensorflow/tfjs-node'; export { tf };"],
  ])('%s', async (name, text) => {
    const { exports } = await importUserModule(write(name, text));
    const theirs = exports.tf as typeof tf;
    expect(theirs.Tensor).toBe(tf.Tensor);
    expect(theirs.LayersModel).toBe(tf.LayersModel);
    expect(theirs.tidy).toBe(tf.tidy);
  });
});

test('the files of a module are itself and what it imports of the user', async () => {
  const layer = write('layer.ts', 'export const units: number = 3;');
  const model = write('model.ts', "import { units } from './layer.ts'; import 'node:fs'; export const u = units;");
  expect((await importUserModule(model)).files.sort()).toEqual([layer, model]);
});

test('a changed module is read again, and so is what it imports', async () => {
  const layer = write('changing.ts', 'export const units = 3;');
  const model = write('outer.ts', "export { units } from './changing.ts';");
  expect((await importUserModule(model)).exports.units).toBe(3);
  write('changing.ts', 'export const units = 4;');
  const again = await importUserModule(model);
  expect(again.exports.units).toBe(4);
  expect(again.files).toContain(layer);
});

describe('what is wrong with a module is said without a stack trace', () => {
  test.each([
    ['syntax.ts', 'export const a = 1;\nexport function f( { return }', /syntax\.ts could not be loaded: .*:2:\d+/s],
    ['throws.ts', 'export const a = 1;\n\nthrow new Error("no data");', /no data \(.*throws\.ts:3:\d+\)/],
    ['path.ts', "import './nowhere.ts';", /Cannot find module '\.\/nowhere\.ts' \(.*path\.ts:1:\d+\)$/],
    ['package.ts', "import 'not-installed';", /Cannot find module 'not-installed'/],
  ])('%s', async (name, text, message) => {
    const error = await userErrorOf(() => importUserModule(write(name, text)));
    expect(error.message).toMatch(message);
    expect(error.message.split('\n').length).toBeLessThan(3);
  });

  test('an await outside of functions that nothing ends', async () => {
    const path = write('waits.ts', 'await new Promise(() => {});\nexport const a = 1;');
    const error = userErrorOf(() => importUserModule(path));
    await until(giveUpWaiting);
    expect(await error).toMatchObject({
      message: `${path} could not be loaded: an await outside of functions in ${path} does not end: nothing is left that it could wait for.`,
      remedy: 'Fix waits.ts.',
    });
  });

  test('a missing file', async () => {
    const path = join(folder, 'absent.ts');
    expect((await userErrorOf(() => importUserModule(path))).message).toBe(`${path} does not exist.`);
  });

  test('a function that is not exported', async () => {
    const module = await importUserModule(write('exports.ts', 'export const test = 1, model = 2;'));
    expect(() => exportedFunction(module, 'train')).toThrow(/does not export 'train'. It exports: model, test\./);
    expect(() => exportedFunction(module, 'test')).toThrow(/exports 'test', which is not a function/);
  });

  test('a function that throws, at its own line even when a library threw', async () => {
    const text = "import * as tf from '@tensorflow/tfjs';\n\nexport const f = () => tf.zeros([2]).reshape([3]);";
    const module = await importUserModule(write('calls.ts', text));
    const call = () => {
      try {
        exportedFunction(module, 'f')();
      } catch (error) {
        throw userCodeError(module, 'f()', error);
      }
    };
    const { message } = await userErrorOf(call);
    expect(message).toMatch(/^f\(\) of .*calls\.ts failed: Size\(2\).*calls\.ts:3:\d+\)$/);
  });
});
