/** @file What agents can do: a real client before a real server, in a folder with a small model and small data. */
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { appendFile, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAlive, identify } from '../../../server/runs/liveProcess.ts';
import { npy } from '../../fixtures/npy.ts';
import { until } from '../../until.ts';
import { experiment, mlp, workspace } from '../training/workspace.ts';
import { useAgentSessions } from './agentSession.ts';

const sessions = useAgentSessions();
const file = 'blobs.deeptwist.jsonc';
const eras = [
  ['of 2025', false],
  ['of 2026', true],
] as const;

const runsOf = (folder: string) => {
  const runs = join(folder, '.deeptwist', 'runs');
  return existsSync(runs) ? readdirSync(runs) : [];
};

describe('a client', () => {
  test.each(eras)('%s is offered tools that say what they do, and documentation', async (_, isModern) => {
    const { folder } = await workspace();
    const { client } = await sessions.open({ directory: folder, isModern });
    const { tools } = await client.listTools();
    const readers = tools.filter(({ annotations }) => annotations?.readOnlyHint === true).map(({ name }) => name);
    expect(readers).toEqual(['list_workspace', 'check_experiment', 'follow_run', 'list_runs', 'compare_runs', 'follow_sweep']); // prettier-ignore
    for (const tool of tools) {
      expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object' });
      expect(tool.inputSchema, tool.name).toMatchObject({ additionalProperties: false });
    }
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(expect.arrayContaining(['deeptwist://docs/compression', 'deeptwist://schema/experiment'])); // prettier-ignore
    const { contents } = await client.readResource({ uri: 'deeptwist://docs/agents' });
    expect(contents).toEqual([expect.objectContaining({ mimeType: 'text/markdown', text: expect.stringContaining('# Agents') as string })]); // prettier-ignore
  });

  test('of a server that only reads is offered nothing that writes or runs', async () => {
    const { folder } = await workspace();
    const session = await sessions.open({ directory: folder, args: ['--read-only'] });
    const { tools } = await session.client.listTools();
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    expect(await session.refusal('start_run', { experiment: file }).catch(String)).toMatch(/start_run/);
  });
});

describe('an experiment', () => {
  test('is checked as the editor checks it, once it is described with its layers', async () => {
    const { folder, write } = await workspace();
    const session = await sessions.open({ directory: folder, args: ['--confirm', 'host'] });
    const text = readFileSync(join(folder, file), 'utf8');
    expect(await session.ask('check_experiment', { file })).toMatchObject({ canRun: true });

    const misspelt = text.replace('"batchSize"', '"batchsize"');
    const { problems, canRun } = await session.ask('check_experiment', { file, text: misspelt });
    const line = 1 + misspelt.slice(0, misspelt.indexOf('"batchsize"')).split('\n').length - 1;
    expect(canRun).toBe(false);
    expect(problems).toEqual([expect.objectContaining({ line, severity: 'error', code: 'unknown-setting', message: expect.stringContaining('batchSize') as string })]); // prettier-ignore

    const described = await session.ask('describe_model', { file, limit: 1 });
    expect(described).toMatchObject({
      parameters: 8 * 16 + 16 + 16 * 3 + 3,
      more: 3,
      weights: [{ name: 'fc1/kernel', layer: 'fc1', shape: [8, 16], breakEvenRank: (8 * 16) / 24 }],
    });
    expect((described.weights as { methods: string[] }[])[0].methods).toEqual(expect.arrayContaining(['prune', 'quantize', 'low-rank'])); // prettier-ignore
    const compression = { method: 'prune', distortEvery: 10, layers: { fc9: { rate: 0.5 } } };
    await write('other.deeptwist.jsonc', JSON.stringify({ ...(JSON.parse(text) as object), compression }));
    await session.ask('describe_model', { file: 'other.deeptwist.jsonc' });
    const layers = await session.ask('check_experiment', { file: 'other.deeptwist.jsonc' });
    expect(layers.problems).toEqual([expect.objectContaining({ code: 'matches-nothing' })]);
  });

  test('is not proposed for a model without a layer that can be compressed', async () => {
    const made = await workspace({
      training: { ...experiment.training, steps: 20 },
      compression: { method: 'prune', distortEvery: 10, layers: { '*': { rate: 0.9 } } },
    });
    const { run } = await made.run();
    await mkdir(join(made.folder, 'data'));
    for (const name of ['train', 'test']) {
      await copyFile(join(made.folder, `${name}.npy`), join(made.folder, 'data', `x_${name}.npy`));
      await copyFile(join(made.folder, `${name}-labels.npy`), join(made.folder, 'data', `y_${name}.npy`));
    }
    const session = await sessions.open({ directory: made.folder, args: ['--confirm', 'host'] });
    const propose = (model: string) => session.ask('write_experiment', { file: 'new.deeptwist.jsonc', proposal: { model, data: 'data', method: 'quantize', steps: 500 } }); // prettier-ignore
    await session.ask('export_model', { run: run.id, out: 'sparse.onnx' });
    await expect(propose('sparse.onnx')).rejects.toThrow(/sparse\.onnx has no layer that can be compressed.*"dense"/);
    await session.ask('export_model', { run: run.id, out: 'dense.onnx', dense: true });
    expect(await propose('dense.onnx')).toMatchObject({ written: true });
  });

  test('is written of a proposal, after a look, and never over another without being told', async () => {
    const { folder, write } = await workspace();
    await mkdir(join(folder, 'data'));
    await write('data/x_train.npy', npy(new Float32Array(40 * 8).fill(1), [40, 8]));
    await write('data/y_train.npy', npy(new Uint8Array(40), [40]));
    await write('data/x_test.npy', npy(new Float32Array(10 * 8), [10, 8]));
    await write('data/y_test.npy', npy(new Uint8Array(10), [10]));
    const session = await sessions.open({ directory: folder });
    const around = await session.ask('list_workspace');
    expect(around).toMatchObject({ experiments: [file], models: expect.arrayContaining([{ model: 'model.ts', layers: ['fc1', 'fc2'] }]) as unknown }); // prettier-ignore
    const proposal = { model: 'model.ts', data: 'data', method: 'prune', steps: 500 };
    const preview = await session.ask('write_experiment', { file: 'new.deeptwist.jsonc', proposal, preview: true });
    expect(preview).toMatchObject({ written: false, problems: [] });
    expect(existsSync(join(folder, 'new.deeptwist.jsonc'))).toBe(false);
    expect(await session.ask('write_experiment', { file: 'new.deeptwist.jsonc', proposal })).toMatchObject({ written: true }); // prettier-ignore
    expect(readFileSync(join(folder, 'new.deeptwist.jsonc'), 'utf8')).toBe(preview.text);

    const before = readFileSync(join(folder, file), 'utf8');
    const text = before.replace('"steps"', '"stepz"');
    expect(await session.refusal('write_experiment', { file, text })).toContain('already exists');
    expect(await session.ask('write_experiment', { file, text, overwrite: true })).toMatchObject({ written: false, problems: [{ code: 'unknown-setting' }] }); // prettier-ignore
    expect(readFileSync(join(folder, file), 'utf8')).toBe(before);
    const shorter = before.replace('"steps":60', '"steps":30').replace('"steps": 60', '"steps": 30');
    expect(await session.ask('write_experiment', { file, text: shorter, overwrite: true })).toMatchObject({ written: true }); // prettier-ignore
    expect(readFileSync(join(folder, file), 'utf8')).toBe(shorter);
    const below = shorter.replaceAll(/"(\.\/)?([\w-]+\.(?:npy|ts))"/g, '"../../$2"');
    expect(await session.ask('write_experiment', { file: 'a/b/new.deeptwist.jsonc', text: below })).toMatchObject({ written: true }); // prettier-ignore
    expect(readFileSync(join(folder, 'a', 'b', 'new.deeptwist.jsonc'), 'utf8')).toBe(below);
    expect(await session.refusal('write_experiment', { file: 'model.ts', text, overwrite: true })).toContain('.deeptwist.jsonc'); // prettier-ignore
    expect(await session.refusal('write_experiment', { file: 'b.deeptwist.jsonc', proposal: { ...proposal, layers: ['fc7'] } })).toContain('It has: fc1, fc2'); // prettier-ignore
  });
});

describe('the workspace', () => {
  test.each(eras)('is that of the roots of a client %s, and nothing else', async (_, isModern) => {
    const { folder } = await workspace();
    const { folder: elsewhere } = await workspace();
    const session = await sessions.open({ directory: elsewhere, roots: [folder], isModern });
    expect(await session.ask('list_workspace')).toMatchObject({ folders: [realpathSync(folder)], experiments: [file] });
    expect(await session.refusal('check_experiment', { file: join(elsewhere, file) })).toContain(
      'outside the workspace',
    );
    const { contents } = await session.client.readResource({ uri: 'deeptwist://runs/none' }).catch((error: unknown) => ({ contents: String(error) })); // prettier-ignore
    expect(contents).toContain("There is no run 'none'");
  });

  test('is that of the command where it names folders, whatever the client says', async () => {
    const { folder } = await workspace();
    const { folder: elsewhere } = await workspace();
    const session = await sessions.open({ directory: elsewhere, args: [folder], roots: [elsewhere] });
    expect(await session.ask('list_workspace')).toMatchObject({ folders: [realpathSync(folder)] });
  });

  test('is no home folder', async () => {
    const session = await sessions.open({ directory: homedir() });
    expect(await session.refusal('list_runs')).toMatch(/no project.*deeptwist mcp DIR/);
  });
});

describe('what executes code', () => {
  test.each(eras)('is asked for by a server %s, and not done where the user declines', async (_, isModern) => {
    const { folder } = await workspace();
    const answers = ['decline', 'cancel', 'remember'] as const;
    const session = await sessions.open({
      directory: folder,
      isModern,
      answer: () => answers[session.asked.length - 1],
    });
    for (let i = 0; i < 2; i++)
      expect(await session.refusal('start_run', { experiment: file, confirm: true })).toContain('nothing was done');
    expect(runsOf(folder)).toEqual([]);
    expect(session.asked[0]).toMatch(/Trains blobs\.deeptwist\.jsonc on this machine/);
    const first = await session.ask('start_run', { experiment: file });
    // Remembered: no fourth question.
    const second = await session.ask('start_run', { experiment: file });
    expect(session.asked).toHaveLength(3);
    for (const { run } of [first, second]) {
      const end = await session.untilEnded(String(run));
      expect(end).toMatchObject({ state: 'finished', step: 60 });
    }
  });

  test('needs the word of the user, by the agent, where the client cannot ask', async () => {
    const { folder } = await workspace();
    const session = await sessions.open({ directory: folder });
    expect(await session.refusal('describe_model', { file })).toMatch(/Nothing has been done yet.*"confirm": true/);
    expect(await session.ask('describe_model', { file, confirm: true })).toMatchObject({ parameters: 195 });
    // A file that is a model runs no code of the workspace: nobody is asked.
    expect(await session.refusal('describe_model', { file: 'nothing.onnx' })).not.toContain('confirm');
  });

  test('is asked for wherever a module is named: in an object that an override gave, by a data set without an ending', async () => {
    const { folder, write, run } = await workspace({ training: { ...experiment.training, steps: 5 } });
    const spy = (name: string) => `require('node:fs').writeFileSync(${JSON.stringify(join(folder, name))}, '');`;
    const isExecuted = (name: string) => existsSync(join(folder, name));
    await write('net2.ts', `${mlp}\n${spy('net2 was executed')}`);
    await write('dm', `${spy('dm was executed')} module.exports = {};`);
    await write('onnx-only.txt', JSON.stringify({ ...experiment, model: 'builtin:lenet-5', data: { type: 'module', path: './dm' } })); // prettier-ignore
    await write('dm.deeptwist.jsonc', readFileSync(join(folder, 'onnx-only.txt')));
    await write('.onnx', spy('.onnx was executed'));
    const trained = await run({ overrides: ['model={"module":"./net2.ts","export":"createModel"}'] });
    expect(isExecuted('net2 was executed')).toBe(true);
    rmSync(join(folder, 'net2 was executed'));
    // The experiment that the run keeps names no module but in its overrides.
    await writeFile(trained.run.experimentFile, JSON.stringify({ ...experiment, model: './net.onnx' }));
    const session = await sessions.open({ directory: folder });
    const { id } = trained.run;
    for (const [tool, args] of [
      ['export_model', { run: id }],
      ['evaluate', { of: id }],
      ['measure_sensitivity', { of: id }],
      ['measure_sensitivity', { of: 'dm.deeptwist.jsonc' }],
      ['describe_model', { file: 'dm.deeptwist.jsonc' }],
      ['describe_model', { file: 'onnx-only.txt' }],
    ] as const)
      expect(await session.refusal(tool, args), tool).toMatch(/execute.*Nothing has been done yet/);
    expect(await session.refusal('start_run', { experiment: file, set: ['model={"module":"./net2","export":"createModel"}'] })).toContain('executes the modules'); // prettier-ignore
    // A name that is nothing but an ending is that of a model file, too.
    await session.refusal('describe_model', { file: '.onnx' });
    expect(['net2', 'dm', '.onnx'].filter((name) => isExecuted(`${name} was executed`))).toEqual([]);
  });

  test('ends where the call is cancelled, also where a module never gives control back', async () => {
    const { folder, write } = await workspace();
    await write('endless.ts', `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(join(folder, 'pid'))}, String(process.pid)); for (;;);`); // prettier-ignore
    const session = await sessions.open({ directory: folder, args: ['--confirm', 'host'] });
    const cancel = new AbortController();
    const call = session.ask('describe_model', { file: 'endless.ts' }, { signal: cancel.signal });
    const pid = await until(() => Number(readFileSync(join(folder, 'pid'), 'utf8')) || undefined);
    const identity = identify(pid);
    cancel.abort();
    await expect(call).rejects.toThrow();
    await until(() => isAlive(identity) === false, 'the process of the module to end');
    expect(await session.ask('list_runs')).toMatchObject({ runs: [] });
  });

  test('prints to nobody: what a module writes is not taken for an answer', async () => {
    const { folder } = await workspace();
    await appendFile(join(folder, 'model.ts'), `\nconsole.log('{"jsonrpc":"2.0","id":1,"result":{}}');\n`);
    const session = await sessions.open({ directory: folder, args: ['--confirm', 'host'] });
    expect(await session.ask('describe_model', { file })).toMatchObject({ parameters: 195 });
  });
});

describe('a run', () => {
  test('is stopped, gone on with, and followed without being told anything twice', async () => {
    const long = { training: { ...experiment.training, steps: 200_000, evaluateEvery: 200_000 } };
    const { folder } = await workspace(long);
    const session = await sessions.open({ directory: folder, args: ['--confirm', 'host'] });
    const { run } = await session.ask('start_run', { experiment: file });
    const first = await session.ask('follow_run', { run, wait: 60 });
    expect(first).toMatchObject({ steps: 200_000, happenings: [{ number: 1, kind: 'started' }], next: 1 });
    expect(await session.refusal('resume_run', { run })).toContain('nothing to go on with');
    expect(await session.refusal('export_model', { run })).toContain('no final model');
    expect(await session.ask('stop', { id: run })).toEqual({ asked: [run], isSweep: false });
    const stopped = await session.ask('follow_run', { run, since: 1, wait: 60 });
    expect(stopped).toMatchObject({ happenings: [{ number: 2, kind: 'stopped' }], next: 2, passedOver: 0 });
    await session.untilEnded(String(run));
    expect(await session.ask('list_runs', { state: 'stopped' })).toMatchObject({ runs: [{ run }] });
    expect(await session.refusal('stop', { id: run })).toContain('does not train');
    await session.ask('resume_run', { run });
    const resumed = await until(async () => {
      const { happenings } = await session.ask('follow_run', { run });
      return (happenings as { text: string }[]).find(({ text }) => text.startsWith('went on from step'));
    });
    expect(resumed).toBeDefined();
    await session.ask('stop', { id: 'last' });
    expect(await session.untilEnded(String(run))).toMatchObject({ state: 'stopped' });
  });

  test('that fails says why', async () => {
    const { folder } = await workspace({ model: `throw new Error('no such network');` });
    const session = await sessions.open({ directory: folder, args: ['--confirm', 'host'] });
    const failed = await session
      .ask('start_run', { experiment: file })
      .then(({ run }) => session.untilEnded(String(run)).then((end) => JSON.stringify(end)), String);
    expect(failed).toContain('no such network');
  });
});

test('an export tells how far it is, is listed in the resource of its run, and replaces nothing without being told', async () => {
  const made = await workspace({ training: { ...experiment.training, steps: 30 } });
  const { run } = await made.run();
  const session = await sessions.open({ directory: made.folder, args: ['--confirm', 'host'] });
  const told: (string | undefined)[] = [];
  const onprogress = ({ message }: { message?: string | undefined }) => void told.push(message);
  const exported = await session.ask('export_model', { run: run.id, out: 'a.onnx' }, { onprogress });
  expect(told).toEqual(expect.arrayContaining(['writing', expect.stringMatching(/^verifying/)]));
  expect(exported).toMatchObject({ path: 'a.onnx', format: 'onnx', metric: 'accuracy' });
  expect(await session.refusal('export_model', { run: run.id, out: 'a.onnx' })).toContain('already exists');
  expect(await session.refusal('export_model', { run: run.id, out: '../a.onnx' })).toContain('outside the workspace');
  expect(await session.refusal('export_model', { run: run.id, out: 'b', format: 'tfjs', dense: true })).toContain('takes no --dense'); // prettier-ignore
  await session.ask('export_model', { run: run.id, out: 'a.onnx', overwrite: true });
  const { contents } = await session.client.readResource({ uri: `deeptwist://runs/${run.id}` });
  const [content] = contents as { text: string }[];
  expect(JSON.parse(content.text)).toMatchObject({ id: run.id, state: 'finished', exports: [{ format: 'onnx', isThere: true }] }); // prettier-ignore
  expect(await session.ask('evaluate', { of: run.id })).toMatchObject({ metric: 'accuracy', value: run.record.result?.test }); // prettier-ignore
});

test('an exported file is evaluated on the data of its run, in whichever folder of the workspace both are', async () => {
  const [{ folder: first }, made] = [await workspace(), await workspace({ training: { ...experiment.training, steps: 30 } })]; // prettier-ignore
  const { run } = await made.run();
  const session = await sessions.open({ directory: first, args: ['--confirm', 'host', first, made.folder] });
  const out = join(made.folder, 'out', 'a.onnx');
  await mkdir(join(made.folder, 'out'));
  await session.ask('export_model', { run: 'last', out });
  expect(await session.ask('evaluate', { of: out })).toMatchObject({ metric: 'accuracy', value: run.record.result?.test }); // prettier-ignore
});

test('a sweep is started after its size is told, followed, and compared by seeds', async () => {
  const { folder } = await workspace({
    sweep: { vary: { 'training.optimizer.learningRate': [0.01, 0.02], 'training.seed': [1, 2] } },
  });
  const session = await sessions.open({ directory: folder, answer: () => 'accept' });
  const { sweep, runs } = await session.ask('start_sweep', { of: file, parallel: 2 });
  expect(runs).toBe(4);
  expect(session.asked).toEqual([expect.stringMatching(/^Trains 4 runs of blobs.*2 at a time\. How long one takes is not known/)]); // prettier-ignore
  const end = await until(async () => {
    const state = await session.ask('follow_sweep', { sweep, limit: 2 });
    return (state.states as Record<string, number>).finished === 4 && state;
  });
  expect(end).toMatchObject({ runs: 4, states: { finished: 4 }, more: 2, problems: [] });
  expect(end.best).toHaveLength(2);
  const { groups, differences } = await session.ask('compare_runs', { runs: [sweep] });
  expect(groups).toEqual([expect.objectContaining({ seeds: [1, 2] }), expect.objectContaining({ seeds: [1, 2] })]);
  expect(differences).toContainEqual(expect.objectContaining({ result: 'test', pairs: 2 }));
  expect(await session.refusal('start_sweep', { of: sweep, seeds: [1] })).toContain('already exists');
});

test('a sweep is stopped with all of its runs, and gone on with', async () => {
  const { folder } = await workspace({ training: { ...experiment.training, steps: 20_000 } });
  const session = await sessions.open({ directory: folder, args: ['--confirm', 'host'] });
  const { sweep } = await session.ask('start_sweep', { of: file, seeds: [1, 2, 3], set: ['training.steps=20000'] });
  await until(async () => ((await session.ask('follow_sweep', { sweep })).states as Record<string, number>).running === 1); // prettier-ignore
  expect(await session.ask('stop', { id: sweep })).toMatchObject({ isSweep: true });
  const stopped = await until(async () => {
    const { states } = await session.ask('follow_sweep', { sweep });
    return (states as Record<string, number>).stopped === 1 && states;
  });
  expect(stopped).toEqual({ stopped: 1, 'not begun': 2 });
  await session.ask('start_sweep', { of: sweep });
  await until(async () => ((await session.ask('follow_sweep', { sweep })).states as Record<string, number>).running === 1); // prettier-ignore
  expect(await session.ask('stop', { id: 'last' })).toMatchObject({ isSweep: true });
  await until(async () => (((await session.ask('follow_sweep', { sweep })).states as Record<string, number>).running ?? 0) === 0); // prettier-ignore
  const again = () => session.ask('stop', { id: sweep }).then(JSON.stringify, String);
  await until(async () => (await again()).includes(`Nothing of the sweep ${String(sweep)} trains on this machine`));
  // The last run is a newer one than those of the sweep.
  const { run } = await session.ask('start_run', { experiment: file });
  await session.ask('follow_run', { run, wait: 60 });
  expect(await session.ask('stop', { id: 'last' })).toEqual({ asked: [run], isSweep: false });
  await session.untilEnded(String(run));
});

test('settings for a target are searched for, followed to what was found, and a sweep is no search', async () => {
  const { folder } = await workspace({
    data: { ...experiment.data, split: { validation: 0.25 } },
    training: { ...experiment.training, threads: 1, steps: 60 },
    compression: { method: 'prune', distortEvery: 5, layers: { fc1: {}, fc2: {} } },
    target: { maxDrop: 0.5 },
  });
  const session = await sessions.open({ directory: folder, answer: () => 'accept' });
  const rates = ['compression.layers.fc1.rate=0.5', 'compression.layers.fc2.rate=0.5'];
  const withoutTarget = { of: file, set: ['target=null', ...rates] };
  expect(await session.refusal('start_search', withoutTarget)).toContain('has no "target"');
  const { sweep } = await session.ask('start_search', { of: file, budget: 3, parallel: 2 });
  expect(session.asked).toEqual([expect.stringMatching(/^Trains up to 3 full runs of blobs/)]);
  const end = await until(async () => {
    const state = await session.ask('follow_sweep', { sweep });
    return (state.search as { isOver: boolean }).isOver && state;
  });
  expect(end.search).toMatchObject({
    target: '{ "maxDrop": 0.5 }',
    isMet: true,
    found: { set: [expect.stringContaining('"rate"')], ratio: expect.any(Number) },
  });
  expect(await session.refusal('start_sweep', { of: sweep })).toContain('is a search');
});
