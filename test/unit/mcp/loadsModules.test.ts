/** @file Which experiments and files make DeepTwist execute code of the workspace. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { experimentLoadsModules, loadsModules, namesModule } from '../../../server/mcp/loadsModules.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const plain = { model: './net.onnx', data: { type: 'mnist', path: './data' }, training: { loss: 'auto' } };
const text = JSON.stringify(plain);

describe('an experiment names a module', () => {
  test.each<[string, Record<string, unknown>]>([
    ['as its model', { model: './net.ts' }],
    ['as its model, by an export', { model: { module: './net', export: 'createModel' } }],
    ['as its data', { data: { type: 'module', path: './data.js' } }],
    ['as its data, without an ending', { data: { type: 'module', path: './dm' } }],
    ['as its data, with an ending of something else', { data: { type: 'module', path: './dm.csv' } }],
    ['as its method, without an ending', { compression: { method: 'custom', module: './distort' } }],
    ['as one of its methods', { compression: [{ method: 'prune' }, { method: 'custom', module: './distort.txt' }] }],
    ['as its teacher', { distillation: { teacher: { model: './big.mjs', weights: './big.safetensors' } } }],
    ['perhaps, by a run that teaches', { distillation: { teacher: 'run:big' } }],
  ])('%s', (_, settings) => {
    expect(namesModule(JSON.stringify({ ...plain, ...settings }), [])).toBe(true);
    const overrides = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    expect(namesModule(text, overrides)).toBe(true);
  });

  test.each([
    'model=./net.ts',
    'model="./net.ts"',
    'model={"module":"./net2.ts","export":"createModel"}',
    'model={"module":"./net2","export":"createModel"}',
    'model.module=./net2',
    'data={"type":"module","path":"./dm"}',
    'data.type=module',
    'data["type"]="module"',
    'data={"t\\u0079pe":"module","path":"./dm"}',
    'compression=[{"method":"custom","module":"./x.ts"}]',
    'compression[1].module=./x',
    'compression.module=./x',
    'distillation={"teacher":{"model":"./x.cts","weights":"./x.pt"}}',
    'distillation.teacher=run:last',
    'what no setting can be',
  ])('by --set %s', (override) => {
    expect(namesModule(text, [override])).toBe(true);
    // What a later value takes away may have been there while a run trained.
    expect(namesModule(text, [override, 'training.steps=5'])).toBe(true);
  });

  test.each([[[]], [['model=./other.onnx']], [['model={"onnx":"./net.onnx","inputs":{}}', 'data.type="mnist"']], [['sweep=null']]])(
    'not where there are only model files and data: %j',
    (overrides) => {
      expect(namesModule(text, overrides)).toBe(false);
    },
  ); // prettier-ignore
});

test('an experiment is one whatever its ending, and a file that is a model is none', async () => {
  const folder = await temporaryFolder();
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const withModule = JSON.stringify({ ...plain, data: { type: 'module', path: './dm' } });
  for (const name of ['a.deeptwist.jsonc', 'a.JSONC', 'a.txt', 'a'])
    expect(await loadsModules(await file(name, withModule)), name).toBe(true);
  expect(await experimentLoadsModules(await file('a.deeptwist.json', withModule))).toBe(true);
  expect(await loadsModules(await file('b.deeptwist.jsonc', text))).toBe(false);
  expect(await loadsModules(join(folder, 'net.MTS'))).toBe(true);
  expect(await loadsModules(join(folder, 'net.onnx'))).toBe(false);
  expect(await loadsModules(join(folder, 'model.json'))).toBe(false);
});
