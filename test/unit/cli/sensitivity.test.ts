import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { JsonText } from '../../../server/protocol/experiment/jsonText.ts';
import type { SensitivityReport } from '../../../server/protocol/run/sensitivityReport.ts';
import { experiment } from '../training/workspace.ts';
import { place } from './place.ts';

const data = { ...experiment.data, split: { validation: 0.25 } };
const quick = ['--methods', 'prune,quantize', '--layers', 'fc*'];

describe('deeptwist sensitivity', () => {
  test('prints a row for each layer and setting, what is suggested, and a compression to paste that trains', async () => {
    const { run, folder, cli } = await place(undefined, { data });
    const { code, stdout, stderr } = await cli(['sensitivity', 'last', ...quick, '--max-drop', '0.2']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`of the final model of ${run.id}`);
    expect(stdout).toContain('on 30 samples of the validation split');
    expect(stdout).toMatch(/^layer +setting +accuracy +drop +bytes$/m);
    expect(stdout).toMatch(/^fc1 +rate 0\.5 +[\d.]+ +-?[\d.e-]+ +(within +)?\d+ B +[\d.]+x smaller$/m);
    expect(stdout).toMatch(/^ +1 bit /m);
    expect(stdout).toMatch(/^Suggested for at most 0\.2:$/m);
    expect(stdout).toMatch(/^Together they cost .* if drops just added up/m);
    const pasted = /^"compression": ([^]*?)\n\n/m.exec(stdout)?.[1] ?? '';
    const compression = new JsonText(pasted).value();
    const again = { ...experiment, data, start: `run:${run.id}`, compression };
    await writeFile(join(folder, 'again.deeptwist.jsonc'), JSON.stringify(again));
    expect((await cli(['run', 'again.deeptwist.jsonc', '--set', 'training.steps=20'])).code).toBe(0);
  });

  test('prints the report as one JSON object, and progress for a program', async () => {
    const { run, cli } = await place(undefined, { data });
    const { code, stdout, stderr } = await cli([
      ...['sensitivity', 'last', '--methods', 'low-rank', '--values', '2', '--samples', '12'],
      ...['--json', '--progress', 'json'],
    ]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as SensitivityReport;
    expect(report).toMatchObject({ run: run.id, split: 'validation', samples: 12, metric: 'accuracy' });
    expect(report.cells.map(({ method, parameter, setting }) => [method, parameter, setting])).toEqual([
      ['low-rank', 'rank', 2],
      ['low-rank', 'rank', 2],
    ]);
    expect(report).not.toHaveProperty('suggestion');
    const progress = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(progress).toContainEqual({ progress: { phase: 'scanning', settings: 1, of: 2 } });
  });

  test('measures what an experiment starts from, which is named by its file', async () => {
    const { run, folder, cli } = await place(undefined, { data });
    await writeFile(
      join(folder, 'from.deeptwist.jsonc'),
      JSON.stringify({ ...experiment, data, start: `run:${run.id}` }),
    );
    const { code, stdout } = await cli(['sensitivity', 'from.deeptwist.jsonc', ...quick]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/of what .*from\.deeptwist\.jsonc starts from/);
    expect(stdout).toMatch(/^--max-drop 0\.00\d suggests/m);
  });

  test('refuses what is no method, number, split or drop', async () => {
    const { folder, cli } = await place(undefined, { data });
    const refused = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli(['sensitivity', ...args]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      return stderr;
    };
    expect(await refused('last', '--methods', 'prun')).toMatch(/no method 'prun'; did you mean 'prune'\?/);
    expect(await refused('last', '--methods', 'nuclear-norm')).toContain('shows only while it trains');
    expect(await refused('last', '--values', '0.5')).toContain('--values is for one method');
    expect(await refused('last', '--values', '0.5', '--methods', 'prune,quantize')).toContain('for one method');
    for (const values of ['', '0.5,,0.9', 'much'])
      expect(await refused('last', '--methods', 'prune', `--values=${values}`)).toContain('is a list of numbers');
    expect(await refused('last', '--methods', 'prune', '--values', '1')).toContain('[0, 1)');
    for (const samples of ['0', '1.5', 'all'])
      expect(await refused('last', '--samples', samples)).toContain('--samples');
    expect(await refused('last', '--split', 'tset')).toContain('Choose one of: validation, train, test');
    for (const drop of ['-0.1', 'little', ''])
      expect(await refused('last', `--max-drop=${drop}`)).toContain('--max-drop');
    expect(await refused('last', '--layers', 'fx1')).toContain('matches no layer of the model');
    expect(await refused('blobs.deeptwist.jsonc', '--checkpoint')).toContain('--checkpoint is for runs');
    expect(await refused('model.ts')).toContain('Name an experiment whose "model" it is');
    expect(await refused('nothing')).toContain("There is no run 'nothing'");
    expect(readFileSync(join(folder, 'model.ts'), 'utf8')).toContain('createModel');
  });

  test('asks for weights of a run that is not finished, and is cancelled by Ctrl-C', async () => {
    const { run, cli } = await place(20, { data });
    const { code, stderr } = await cli(['sensitivity', 'last']);
    expect(code).toBe(1);
    expect(stderr).toContain(`The run ${run.id} has no final model`);
    expect(stderr).toContain('--checkpoint');
    const fromCheckpoint = await cli(['sensitivity', 'last', '--checkpoint', ...quick]);
    expect(fromCheckpoint.stdout).toContain(`of step 20 of ${run.id}`);
    const cancelled = await cli(['sensitivity', 'last', '--checkpoint'], { interrupted: true });
    expect(cancelled).toMatchObject({
      code: 130,
      stdout: '',
      stderr: 'Cancelled: what was measured is kept for another call.\n',
    });
  });
});
