import { execFileSync, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Trainer } from '../../../server/cli/trainer.ts';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import type { ModelDescription } from '../../../server/protocol/model/modelDescription.ts';
import { parseExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import { UserError } from '../../../server/protocol/userError.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { findRun } from '../../../server/runs/findRun.ts';
import { identify } from '../../../server/runs/liveProcess.ts';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import type { Run } from '../../../server/runs/run.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { callCommandLine } from './callCommandLine.ts';
import { evaluation, experimentText, finished, metrics, started, wholeRun } from './sampleEvents.ts';

type Outcome = Awaited<ReturnType<Trainer['runExperiment']>>['state'];

/** Records `events` in a run folder instead of training; stops before the second one where it is asked to. */
class FakeTrainer implements Trainer {
  readonly calls: { name: string; options: object }[] = [];
  readonly events: readonly RunEvent[];
  readonly state: Outcome;

  constructor(events: readonly RunEvent[], state: Outcome) {
    this.events = events;
    this.state = state;
  }

  async runExperiment(options: Parameters<Trainer['runExperiment']>[0]) {
    this.calls.push({ name: 'runExperiment', options });
    const { file, overrides, out } = options;
    parseExperiment(experimentText, { file, overrides });
    return this.#record(await createRun({ experiment: file, text: experimentText, overrides, out }), options);
  }

  async resumeRun(options: Parameters<Trainer['resumeRun']>[0]) {
    this.calls.push({ name: 'resumeRun', options });
    return this.#record(options.run, options);
  }

  async evaluateRun() {
    return evaluation(20000, 0.98412, 'final');
  }

  async describeExperiment(file: string) {
    const fc1 = { layer: 'fc1', layerClass: 'Dense', trainable: true };
    const weights = [
      { ...fc1, name: 'fc1/kernel', weight: 'kernel', shape: [784, 300] },
      { ...fc1, name: 'fc1/bias', weight: 'bias', shape: [300] },
    ];
    const description: ModelDescription = { version: 1, model: './lenet.ts', files: [], weights };
    const withoutData = new UserError('/data does not exist.');
    return { description, path: join(dirname(file), '.deeptwist', 'models', '0.json'), withoutData };
  }

  async describeModelFile(path: string) {
    const { description } = await this.describeExperiment(path);
    const inputs = [{ name: 'x', shape: [null, 784], dtype: 'float32' }];
    const outputs = [{ name: 'y', shape: [null, 10], activation: 'softmax' as const }];
    return { ...description, model: path, inputs, outputs, warnings: ['It is small.'] };
  }

  async #record(run: Run, { onEvent, signal }: { onEvent: (event: RunEvent) => void; signal: AbortSignal }) {
    const log = await EventLog.open(run, { cutAt: 0 });
    let state = this.state;
    for (const [i, event] of this.events.entries()) {
      if (i === 1 && signal.aborted) state = 'stopped';
      const recorded: RunEvent = state === 'stopped' && i > 0 ? { type: 'stopped', step: event.step, time: 0 } : event;
      log.append(recorded);
      onEvent(recorded);
      if (recorded.type === 'stopped') break;
    }
    log.close();
    await run.update({ state });
    return { run, state };
  }
}

async function commandLine({
  events = wholeRun,
  state = 'finished',
  interrupted = false,
}: Partial<{ events: readonly RunEvent[]; state: Outcome; interrupted: boolean }> = {}) {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'lenet.deeptwist.jsonc'), experimentText);
  const trainer = new FakeTrainer(events, state);
  return {
    folder,
    trainer,
    run: (...args: string[]) =>
      callCommandLine(folder, args, {
        loadTrainer: () => Promise.resolve(trainer),
        onInterrupt: (onFirst) => {
          if (interrupted) onFirst();
          return { signal: interrupted ? AbortSignal.abort() : new AbortController().signal, dispose: () => undefined };
        },
      }),
  };
}

const failed: RunEvent = { type: 'failed', step: 9, time: 0, message: 'the loss is NaN', remedy: 'Lower it.' };

describe('deeptwist', () => {
  it('prints its version and its help', async () => {
    const { run } = await commandLine();
    expect(await run('--version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
    const help = await run('--help');
    expect(help.code).toBe(0);
    for (const command of [
      'run FILE',
      'resume RUN',
      'sweep FILE|SWEEP',
      'runs [DIR]',
      'show RUN',
      'compare RUN RUN…',
      'evaluate RUN',
      'export RUN',
      'describe FILE',
      'inspect FILE',
    ])
      expect(help.stdout).toContain(`deeptwist ${command}`);
    expect(await run()).toMatchObject({ code: 2, stdout: '', stderr: help.stdout });
    expect(await run('run', 'x', '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        'deeptwist run FILE [--set PATH=VALUE]… [--out DIR] [--seeds LIST] [--parallel N] [--yes] [--json]',
      ) as string,
    });
  });

  it.each([
    [['rnu'], "deeptwist has no command 'rnu'; did you mean 'run'?"],
    [['run'], 'deeptwist run: expected deeptwist run FILE '],
    [['run', 'a', 'b'], 'deeptwist run: expected deeptwist run FILE '],
    [['run', 'a', '--jsno'], 'deeptwist run: unknown option --jsno; did you mean --json?'],
    [['run', 'a', '--out'], "deeptwist run: Option '--out <value>' argument missing"],
    [['compare'], 'deeptwist compare: expected deeptwist compare RUN RUN…'],
    [['compare', 'a'], "There is no run 'a' in "],
    [['change', 'last'], 'deeptwist change: there is nothing to change.'],
    [['change', 'last', '--set', 'a=1'], 'There is no run in '],
    [['resume', 'last'], 'There is no run in '],
    [['runs', 'nowhere'], 'There is no folder '],
    [['runs', 'lenet.deeptwist.jsonc'], 'There is no folder '],
    [['thin', 'last', '--energy-of', 'squares'], 'deeptwist thin: --energy-of is for --energy.'],
    [['show', 'nothing'], "There is no run 'nothing' in "],
  ])('answers wrong usage with exit code 2 and what to do: %j', async (args, message) => {
    const { run } = await commandLine();
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(`error: ${message}`), stderr).toBe(true);
    expect(stderr).toContain('to do: ');
  });

  it('shows no stack trace of an error that nobody expected', async () => {
    const { trainer, run } = await commandLine();
    trainer.runExperiment = () => Promise.reject(new TypeError('x is undefined'));
    const { code, stderr } = await run('run', 'lenet.deeptwist.jsonc');
    expect(code).toBe(1);
    expect(stderr.split('\n')[0]).toBe('error: unexpected: x is undefined');
    expect(stderr).not.toContain('    at ');
  });
});

describe('deeptwist run', () => {
  it('hands the file, the overrides and the folder to the trainer, and shows the result', async () => {
    const { folder, trainer, run } = await commandLine();
    const result = await run(
      'run',
      'lenet.deeptwist.jsonc',
      '--set',
      'training.steps=100',
      '--set=start=a=b',
      '--out',
      'o',
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('test accuracy  0.9841');
    expect(result.stdout).toMatch(/The run is in o\/\d{8}-\d{6}-lenet\n$/);
    expect(trainer.calls).toMatchObject([
      {
        name: 'runExperiment',
        options: {
          file: join(folder, 'lenet.deeptwist.jsonc'),
          overrides: ['training.steps=100', 'start=a=b'],
          out: join(folder, 'o'),
        },
      },
    ]);
  });

  it('prints the events and nothing else with --json, the last one being finished', async () => {
    const { run } = await commandLine();
    const { code, stdout } = await run('run', 'lenet.deeptwist.jsonc', '--json');
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect(events).toEqual(wholeRun);
    expect(events.at(-1)).toEqual(finished);
  });

  it('exits with 1 when the run failed', async () => {
    const { run } = await commandLine({ events: [started, failed], state: 'failed' });
    const { code, stdout, stderr } = await run('run', 'lenet.deeptwist.jsonc');
    expect(code).toBe(1);
    expect(stderr).toBe('error: the loss is NaN\nto do: Lower it.\n');
    expect(stdout).not.toContain('NaN');
  });

  it('exits with 2 when the experiment is wrong, naming the --set', async () => {
    const { run } = await commandLine();
    const { code, stdout, stderr } = await run('run', 'lenet.deeptwist.jsonc', '--json', '--set', 'bad');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('error: --set bad expected SETTING=VALUE');
  });

  it.each([false, true])('exits with 130 when it is stopped, and says how to go on (--json: %s)', async (json) => {
    const { run } = await commandLine({ interrupted: true });
    const { code, stdout, stderr } = await run('run', 'lenet.deeptwist.jsonc', ...(json ? ['--json'] : []));
    expect(code).toBe(130);
    const hint = /Go on with: deeptwist resume (\.deeptwist\S+)\n$/.exec(json ? stderr : stdout);
    expect(hint).not.toBeNull();
    expect(await run('resume', hint![1])).toMatchObject({ code: 130 });
  });

  it('says how to go on in words that a shell takes as they are meant', async () => {
    const { run, folder } = await commandLine({ interrupted: true });
    const out = "R&D's $(rm x)";
    const { stdout } = await run('run', 'lenet.deeptwist.jsonc', '--out', out);
    const [, words] = /Go on with: deeptwist resume (.+)\n$/.exec(stdout)!;
    const argument = execFileSync('sh', ['-c', `printf %s ${words}`], { cwd: folder, encoding: 'utf8' });
    expect(dirname(argument)).toBe(out);
    expect(await run('resume', argument)).toMatchObject({ code: 130 });
  });
});

describe('deeptwist resume', () => {
  it('goes on with the run that is meant, unless that is finished', async () => {
    const { trainer, run } = await commandLine({ events: [started, failed], state: 'failed' });
    await run('run', 'lenet.deeptwist.jsonc');
    expect(await run('resume', 'last')).toMatchObject({ code: 1 });
    expect(trainer.calls.map((call) => call.name)).toEqual(['runExperiment', 'resumeRun']);

    const complete = await commandLine();
    await complete.run('run', 'lenet.deeptwist.jsonc');
    const { code, stderr } = await complete.run('resume', 'last');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: The run \S+ is finished: there is nothing to go on with\.\nto do: See it with/);
  });
});

describe('looking at runs', () => {
  it('lists them with state, metric and ratios', async () => {
    const { run } = await commandLine();
    expect(await run('runs')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/no runs/) as string,
    });
    await run('run', 'lenet.deeptwist.jsonc');
    const { stdout } = await run('runs');
    const [header, row] = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(header).toEqual(['id', 'state', 'metric', 'weights', 'bytes', 'age', 'folder']);
    expect(row.slice(1, 5)).toEqual(['finished', 'accuracy 0.9841', '49.8x', 'would be 33.2x']);
  });

  it('lists a finished run by its run.json, and one whose log cannot be read with a warning', async () => {
    const { folder, run } = await commandLine();
    const experiment = join(folder, 'lenet.deeptwist.jsonc');
    const done = await createRun({ experiment, text: '{}', now: new Date(2026, 0, 1) });
    const result = { metric: 'accuracy', test: null, byteRatio: 2, weightRatio: 3 };
    await done.update({ state: 'finished', result });
    const packed = await createRun({ experiment, text: '{}', now: new Date(2026, 0, 1, 12) });
    await packed.update({ state: 'finished', result: { ...result, fileRatio: 1.9 } });
    const odd = await createRun({ experiment, text: '{}', now: new Date(2026, 0, 2) });
    for (const { eventsFile } of [done, odd]) await mkdir(eventsFile);
    const { code, stdout, stderr } = await run('runs');
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(code).toBe(0);
    expect(rows[1].slice(1, 5)).toEqual(['finished', 'accuracy NaN', '3.00x', 'would be 2.00x']);
    expect(rows[2].slice(1, 5)).toEqual(['finished', 'accuracy NaN', '3.00x', '1.90x']);
    expect(rows[3].slice(0, 2)).toEqual([odd.id, 'interrupted']);
    expect(stderr).toBe(`warning: ${odd.eventsFile} is not a file, but a folder.\n`);
  });

  it('shows one: state, settings, near-zeros, the course of the metric, the layers', async () => {
    const { folder, run } = await commandLine();
    await run('run', 'lenet.deeptwist.jsonc', '--set', 'training.seed=3');
    const { code, stdout } = await run('show', 'last');
    expect(code).toBe(0);
    expect(stdout).toMatch(/finished, step 20,000 of 20,000, created \d+ s ago\n/);
    expect(stdout).toContain(`experiment  ${join(folder, 'lenet.deeptwist.jsonc')} --set training.seed=3\n`);
    expect(stdout).toMatch(/compression\.layers\.fc1\.rate +0\.9\n/);
    expect(stdout).toMatch(/fc1\/kernel +rate 0\.9 +700 +900 +40 +3 +0\.125\n/);
    expect(stdout).toContain('test accuracy, 3 evaluations, 0.95 to 0.9841, last 0.9841\n▁██\n');
    expect(stdout).toContain('warning: the learning rate is high\n');
    expect(stdout).toMatch(/fc1\/kernel +784x300 +235,200/);
    expect(stdout).not.toContain('\u001b');
  });

  it('shows one that has not recorded anything', async () => {
    const { folder, run } = await commandLine();
    await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: '{}' });
    const { code, stdout } = await run('show', 'last');
    expect(code).toBe(0);
    expect(stdout).toMatch(/interrupted, step 0, created \d+ s ago\n/);
  });

  it('shows the teacher of one, and the parts of its loss', async () => {
    const losses = { labels: 0.1, distillation: 0.15 };
    const told = { ...metrics(10, 0.25), losses, shares: { asked: 0.34 } };
    const { folder, run } = await commandLine({ events: [started, told, finished] });
    await run('run', 'lenet.deeptwist.jsonc');
    await (await findRun('last', folder)).update({ teacher: '.deeptwist/runs/20261121-base' });
    const { stdout } = await run('show', 'last');
    expect(stdout).toContain(`teacher     ${join(folder, '.deeptwist', 'runs', '20261121-base')}\n`);
    expect(stdout).toContain('training loss 0.25: labels 0.1, distillation 0.15, asked 34% of the samples\n');
  });

  it('follows one to its end', async () => {
    const { run } = await commandLine();
    await run('run', 'lenet.deeptwist.jsonc');
    const { code, stdout } = await run('show', 'last', '--follow');
    expect(code).toBe(0);
    expect(stdout).toContain('test accuracy  0.9841');
  });

  it('ends to follow one with the code of its end', async () => {
    const broken = await commandLine({ events: [started, failed], state: 'failed' });
    await broken.run('run', 'lenet.deeptwist.jsonc');
    expect(await broken.run('show', 'last', '--follow')).toMatchObject({
      code: 1,
      stderr: 'error: the loss is NaN\nto do: Lower it.\n',
    });
    const stopped = await commandLine({ interrupted: true });
    await stopped.run('run', 'lenet.deeptwist.jsonc');
    // As nobody interrupts this one.
    expect((await callCommandLine(stopped.folder, ['show', 'last', '--follow'])).code).toBe(130);
  });

  it('tells of one without an event what made it fail', async () => {
    const { folder, run } = await commandLine();
    const made = await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: experimentText });
    await made.update({ state: 'failed', failure: { message: 'There is no Node.', remedy: 'Install it.' } });
    expect(await run('show', 'last', '--follow')).toMatchObject({
      code: 1,
      stderr: 'error: There is no Node.\nto do: Install it.\n',
    });
  });

  it('ends to follow one whose process has gone, and says how to go on', async () => {
    const { folder, run } = await commandLine();
    const made = await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: experimentText });
    const log = await EventLog.open(made);
    for (const event of [started, metrics(10, 0.25)]) log.append(event);
    log.close();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await made.update({ state: 'running', process: identify(other.pid!) });
    const following = run('show', 'last', '--follow');
    other.kill('SIGKILL');
    const { code, stdout } = await following;
    expect(code).toBe(1);
    const [, named] = /The run is interrupted: its process has gone\. Go on with: deeptwist resume (\S+)\n$/.exec(
      stdout,
    )!;
    expect((await findRun(named, folder)).path).toBe(made.path);
  });

  it('leaves one that trains alone when it is interrupted while it follows it', async () => {
    const { folder, run } = await commandLine({ interrupted: true });
    const made = await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: experimentText });
    await made.update({ state: 'running', process: identify(process.pid) });
    expect(await run('show', 'last', '--follow')).toMatchObject({ code: 130, stdout: '' });
    expect((await findRun('last', folder)).record.state).toBe('running');
  });

  it('compares: the settings that differ, the results side by side', async () => {
    const first = await commandLine();
    await first.run('run', 'lenet.deeptwist.jsonc');
    const config = { ...started.config, training: { ...started.config.training, batchSize: 100 } };
    const second = await commandLine({ events: [{ ...started, config }, failed], state: 'failed' });
    await second.run('run', 'lenet.deeptwist.jsonc');
    const { code, stdout } = await first.run('compare', 'last', second.folder);
    expect(code).toBe(0);
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(rows).toContainEqual(['training.batchSize', '50', '100']);
    expect(rows).toContainEqual(['state', 'finished', 'failed']);
    expect(rows).toContainEqual(['test metric', 'accuracy 0.9841']);
    expect(stdout).not.toContain('training.seed');
  });

  it('evaluates the stored model again, beside what was recorded', async () => {
    const { run } = await commandLine();
    await run('run', 'lenet.deeptwist.jsonc');
    expect(await run('evaluate', 'last')).toEqual({
      code: 0,
      stdout: 'test accuracy 0.9841  loss 0.06123  (0.9841 when the run ended)\n',
      stderr: '',
    });
    const { stdout } = await run('evaluate', 'last', '--json');
    expect(JSON.parse(stdout)).toEqual(evaluation(20000, 0.98412, 'final'));
  });

  it('does not evaluate a run without a final model', async () => {
    const { run } = await commandLine({ events: [started, failed], state: 'failed' });
    await run('run', 'lenet.deeptwist.jsonc');
    const { code, stderr } = await run('evaluate', 'last');
    expect(code).toBe(1);
    expect(stderr).toMatch(/has no final model: it is failed\.\nto do: Finish it with/);
  });
});

describe('deeptwist describe', () => {
  it('lists weights with their shapes and break-even ranks', async () => {
    const { run } = await commandLine();
    expect(await run('describe', 'lenet.deeptwist.jsonc')).toEqual({
      code: 0,
      stdout:
        'weight      layer  shape       weights  break-even rank\n' +
        'fc1/kernel  Dense  [784, 300]  235,200              217\n' +
        'fc1/bias    Dense  [300]           300\n' +
        '235,500 weights in all; kept in .deeptwist/models/0.json\n',
      stderr: 'warning: described without its data: /data does not exist.\n',
    });
  });

  it('describes a file that is a model, with what goes in and comes out', async () => {
    const { run } = await commandLine();
    const { stdout, stderr } = await run('describe', 'net.onnx');
    expect(stdout.split('\n').slice(3)).toEqual([
      'input   x [any, 784] float32',
      'output  y [any, 10] softmax',
      '235,500 weights in all',
      '',
    ]);
    expect(stderr).toBe('warning: It is small.\n');
  });

  it('prints the description as JSON and nothing else', async () => {
    const { run } = await commandLine();
    const { stdout } = await run('describe', 'lenet.deeptwist.jsonc', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, weights: [{ name: 'fc1/kernel' }, { name: 'fc1/bias' }] });
  });
});
