import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../server/protocol/run/fault.ts';
import type { LossRise } from '../../../server/protocol/run/riseOfLoss.ts';
import type { RunSummary } from '../../../server/protocol/wire/dashboard.ts';
import type { LivePhase } from '../../../server/protocol/wire/sidecar.ts';
import { Reach, noticesOf } from '../../../webview/frame/notices.ts';
import { stateLine } from '../../../webview/frame/words.ts';
import { parseMessage } from '../../../webview/messages.ts';
import { DashboardState, runCommands } from '../../../webview/state.ts';
import { ViewState } from '../../../webview/viewState.ts';
import { finished } from '../cli/sampleEvents.ts';
import { exportedFile } from './exportedFile.ts';
import { compressedEvents, metricsEvent, runEvents, runSummary, snapshotOf } from './runFixture.ts';

function stateWith(...keys: string[]): DashboardState {
  const state = new DashboardState();
  state.apply({ type: 'runs', runs: keys.map((key) => runSummary(key)), shown: keys });
  return state;
}

describe('the state of the page', () => {
  it('adds events to the snapshot that came before them', () => {
    const state = stateWith('a');
    state.apply({ type: 'events', run: 'a', events: [metricsEvent(1)] });
    expect(state.snapshot().shown[0].snapshot).toBeUndefined();
    state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf(runEvents(100)) });
    state.apply({ type: 'events', run: 'a', events: [metricsEvent(101), metricsEvent(102)] });
    expect(state.snapshot().shown[0].snapshot?.metrics.length).toBe(102);
  });

  it('keeps a problem with a run until the run is sent again, or its process answers', () => {
    const state = stateWith('a');
    const problem = () => state.snapshot().shown[0].problem?.message;
    state.apply({ type: 'problem', run: 'a', message: 'It speaks another protocol.' });
    state.apply({ type: 'live', run: 'a' });
    expect(problem()).toBe('It speaks another protocol.');
    state.apply({ type: 'live', run: 'a', live: { phase: 'training', step: 1, steps: 10 } });
    expect(problem()).toBeUndefined();
    state.apply({ type: 'problem', run: 'a', message: 'It is gone.' });
    state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf(runEvents(10)) });
    expect(problem()).toBeUndefined();
  });

  it('gives the same objects again while nothing is new', () => {
    const state = stateWith('a', 'b');
    state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf(runEvents(10)) });
    const [a, b] = state.snapshot().shown;
    state.apply({ type: 'events', run: 'a', events: [metricsEvent(11)] });
    const [next, same] = state.snapshot().shown;
    expect(next.snapshot).not.toBe(a.snapshot);
    expect(same).toBe(b);
  });

  it('keeps the color of a run when another one leaves, and forgets what that one recorded', () => {
    const state = stateWith('a', 'b');
    state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf(runEvents(10)) });
    state.show(['b']);
    expect(state.snapshot().shown[0].color).toBe(1);
    state.show(['b', 'a']);
    expect(state.snapshot().shown[1]).toMatchObject({ key: 'a', color: 0, snapshot: undefined });
  });

  it('names runs of one experiment by what differs', () => {
    const state = new DashboardState();
    state.apply({
      type: 'runs',
      runs: [
        runSummary('a', { overrides: ['training.steps=100', 'compression.distortEvery=5'] }),
        runSummary('b', { overrides: ['training.steps=100', 'compression.distortEvery=20'] }),
      ],
      shown: ['a', 'b'],
    });
    expect(state.snapshot().shown.map(({ label }) => label)).toEqual(['distortEvery=5', 'distortEvery=20']);
  });

  it('names a value once that several settings have', () => {
    const state = new DashboardState();
    const rates = (rate: number) => ['a', 'b'].map((layer) => `compression.layers.${layer}.rate=${rate}`);
    const runs = [runSummary('a', { overrides: rates(0.8) }), runSummary('b', { overrides: rates(0.9) })];
    state.apply({ type: 'runs', runs, shown: ['a', 'b'] });
    expect(state.snapshot().shown.map(({ label }) => label)).toEqual(['rate=0.8', 'rate=0.9']);
  });

  it('offers for every state of a run what can be done then', () => {
    const live = (phase: LivePhase) => ({ phase, step: 1, steps: 10 });
    const run = (changes: object) => ({ key: 'a', label: 'a', color: 0, summary: runSummary('a'), ...changes });
    expect(runCommands(run({ live: live('training') }), false)).toEqual(['pause', 'stop', 'observeNow']);
    expect(runCommands(run({ live: live('paused') }), false)).toEqual(['continue', 'stop', 'observeNow']);
    expect(runCommands(run({ live: live('queued') }), false)).toEqual(['stop']);
    expect(runCommands(run({ live: live('stopping') }), false)).toEqual([]);
    expect(runCommands(run({}), false)).toEqual([]);
    expect(runCommands(run({ summary: runSummary('a', { state: 'interrupted' }) }), false)).toEqual([
      'resume',
      'rerun',
    ]);
    const failed = (fault?: Fault) =>
      ({ state: 'failed', failure: { message: 'It broke', ...(fault && { fault }) } }) as const;
    expect(runCommands(run({ summary: runSummary('a', failed()) }), false)).toEqual(['rerun', 'resume']);
    expect(runCommands(run({ summary: runSummary('a', failed('divergence')) }), false)).toEqual(['rerun']);
    const checkpoint = { type: 'checkpoint', step: 1, time: 0, path: 'a', afterDistortion: false } as const;
    for (const [events, offered] of [
      [runEvents(1), ['rerun']],
      [
        [...runEvents(1), checkpoint],
        ['rerun', 'resume'],
      ],
    ] as const)
      expect(runCommands(run({ summary: runSummary('a', failed()), snapshot: snapshotOf(events) }), false)).toEqual(
        offered,
      );
    expect(runCommands(run({ summary: runSummary('a', { state: 'finished' }) }), false)).toEqual([
      'exportModel',
      'rerun',
    ]);
    expect(runCommands(run({ summary: runSummary('a', { state: 'finished' }) }), true)).toEqual([]);
  });

  it('says how far a run is and how long it will take', () => {
    const live = {
      phase: 'training',
      step: 1200,
      steps: 3000,
      stepsPerSecond: 9,
      evaluation: { metric: 'accuracy', value: 0.9581, step: 1200 },
    } as const;
    const line = stateLine({ key: 'a', label: 'a', color: 0, summary: runSummary('a'), live });
    expect(line).toEqual({
      icon: 'running',
      phase: 'Training',
      facts: ['step 1,200 of 3,000', '3:20 left', '9 steps/s', 'accuracy 95.81%'],
      progress: 0.4,
    });
  });

  it('says that a run computes its steps on the graphics processor', () => {
    const factsOn = (computedOn: 'cpu' | 'webgpu') => {
      const events = compressedEvents([1, 2], 3).map((event) =>
        event.type === 'started' ? { ...event, computedOn } : event,
      );
      const summary = runSummary('a', { state: 'stopped' });
      return stateLine({ key: 'a', label: 'a', color: 0, summary, snapshot: snapshotOf(events) }).facts;
    };
    expect(factsOn('webgpu')).toEqual([...factsOn('cpu'), 'on the graphics processor']);
  });

  it('says how many images are decoded before a run trains', () => {
    const live = {
      phase: 'preparing',
      step: 0,
      steps: 0,
      decoded: { what: 'images', done: 15_000, total: 60_000 },
    } as const;
    const line = stateLine({ key: 'a', label: 'a', color: 0, summary: runSummary('a'), live });
    const facts = ['decodes images, 15,000 of 60,000'];
    expect(line).toEqual({ icon: 'running', phase: 'Preparing', facts, progress: 0.25 });
  });
});

describe('what the page says when there is nothing to draw', () => {
  const within = () => false;
  const titles = (state: DashboardState) =>
    noticesOf(state.snapshot(), within).map(({ title, commands }) => [title, commands]);

  it('first looks for runs, then offers to make one', () => {
    const state = new DashboardState();
    expect(titles(state)).toEqual([['Looking for runs…', []]]);
    state.apply({ type: 'runs', runs: [], shown: [] });
    expect(titles(state)).toEqual([['No runs to show', ['runExperiment']]]);
    state.apply({ type: 'runs', runs: [], shown: [], withoutExperiment: true });
    expect(noticesOf(state.snapshot(), within)).toMatchObject([
      { text: expect.stringContaining('no experiment file yet') as string, commands: [] },
    ]);
    state.apply({ type: 'runs', runs: [], shown: [] });
    state.apply({ type: 'restricted', reason: 'Not trusted.' });
    expect(titles(state)).toEqual([
      ['Restricted Mode', ['manageTrust']],
      ['No runs to show', []],
    ]);
  });

  it('says why a run failed and what to do', () => {
    const state = new DashboardState();
    const failure = { message: 'lenet.ts has no createModel.', remedy: 'Export it.' };
    state.apply({ type: 'runs', runs: [runSummary('a', { state: 'failed', failure })], shown: ['a'] });
    state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf([]) });
    const [notice] = noticesOf(state.snapshot(), within);
    expect(notice).toMatchObject({
      kind: 'error',
      title: failure.message,
      text: 'Export it.',
      commands: ['runExperiment', 'rerun', 'showLog'],
    });
  });

  it('leads to the line that threw, and makes no title of a long message', () => {
    const state = new DashboardState();
    const file = '/home/user/throws.ts';
    const failed = (message: string) => {
      const failure = { message, remedy: 'Fix throws.ts, line 6.' };
      state.apply({ type: 'runs', runs: [runSummary('a', { state: 'failed', failure })], shown: ['a'] });
      state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf([]) });
      return noticesOf(state.snapshot(), within)[0];
    };
    const message = `createModel() of ${file} failed: no units (${file}:6:9)`;
    expect(failed(message)).toMatchObject({
      title: 'createModel() of throws.ts failed: no units',
      text: 'Fix throws.ts, line 6.',
      place: { file, line: 6, column: 9 },
      commands: ['openFailure', 'runExperiment', 'rerun', 'showLog'],
    });
    const long = failed('It failed. '.repeat(20));
    expect(long.title).toBe('The run failed.');
    expect(long.text).toMatch(/^It failed\..*line 6\.$/s);
  });

  it('warns of a finished run whose loss has risen', () => {
    const state = new DashboardState();
    const shown = (lossRise?: LossRise) => {
      const summary = { ...finished.summary, ...(lossRise && { lossRise }) };
      state.apply({ type: 'runs', runs: [runSummary('a', { state: 'finished' })], shown: ['a'] });
      state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf([...runEvents(5), { ...finished, summary }]) });
      return noticesOf(state.snapshot(), within).map(({ title, text }) => [title, text]);
    };
    expect(shown()).toEqual([]);
    expect(shown({ first: 2.3, last: 14.5 })).toEqual([
      [
        'The loss is larger at the end than at the beginning.',
        'It went from 2.3 to 14.5: the training may have diverged. Try a smaller learning rate.',
      ],
    ]);
  });

  it('says where the dashboard is, and nothing of the runs, while it is elsewhere', () => {
    const state = new DashboardState();
    state.apply({ type: 'elsewhere', elsewhere: true });
    expect(titles(state)).toEqual([['The dashboard is open in the editor area.', ['openDashboard']]]);
    state.apply({ type: 'elsewhere', elsewhere: false });
    expect(titles(state)).toEqual([['Looking for runs…', []]]);
  });

  it('tells a run that is interrupted, stopped, or out of reach', () => {
    for (const [changes, title] of [
      [{ state: 'interrupted' }, /interrupted/],
      [{ state: 'stopped' }, /stopped/],
      [{ state: 'running' }, /Not connected/],
    ] as const) {
      const state = new DashboardState();
      state.apply({ type: 'runs', runs: [runSummary('a', changes)], shown: ['a'] });
      state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf(runEvents(5)) });
      expect(noticesOf(state.snapshot(), () => true).map((notice) => notice.title)).toEqual([
        expect.stringMatching(title),
      ]);
    }
  });

  it('says that a run is out of reach only when its process has not answered for ten seconds', () => {
    const state = new DashboardState();
    const reach = new Reach();
    const at = (seconds: number) => {
      const now = 1000 * seconds;
      reach.update(state.snapshot(), now);
      const titlesNow = noticesOf(state.snapshot(), (run) => reach.isLost(run, now)).map(({ title }) => title);
      return [titlesNow, reach.untilLost(now)];
    };
    state.apply({ type: 'runs', runs: [runSummary('a', { state: 'running' })], shown: ['a'] });
    state.apply({ type: 'snapshot', run: 'a', snapshot: snapshotOf(runEvents(5)) });
    expect(at(100)).toEqual([[], 10_000]);
    expect(at(109)).toEqual([[], 1000]);
    state.apply({ type: 'live', run: 'a', live: { phase: 'training', step: 1, steps: 10 } });
    expect(at(111)).toEqual([[], undefined]);
    // The connection is lost, and has time to come back, too.
    state.apply({ type: 'live', run: 'a' });
    expect(at(112)).toEqual([[], 10_000]);
    expect(at(122)).toEqual([['Not connected to the run.'], undefined]);
    state.apply({ type: 'runs', runs: [runSummary('a', { state: 'finished' })], shown: ['a'] });
    expect(at(123)).toEqual([[], undefined]);
  });
});

describe('exported files', () => {
  it('belong to their run, and are replaced when the extension tells of them again', () => {
    const state = new DashboardState();
    state.apply({ type: 'runs', runs: [runSummary('a', { state: 'finished' })], shown: ['a'] });
    expect(state.snapshot().shown[0].exports).toBeUndefined();
    state.apply({ type: 'exports', run: 'a', files: [exportedFile(), exportedFile({ path: '/b.onnx' })] });
    state.apply({ type: 'exports', run: 'b', files: [exportedFile()] });
    expect(state.snapshot().shown[0].exports?.map(({ path }) => path)).toEqual(['/project/mnist.onnx', '/b.onnx']);
    state.apply({ type: 'exports', run: 'a', files: [] });
    expect(state.snapshot().shown[0].exports).toEqual([]);
  });

  it('are offered for a finished run alone, in a workspace that is trusted', () => {
    const commandsOf = (state: RunSummary['state'], restricted = false) =>
      runCommands({ key: 'a', label: 'a', color: 0, summary: runSummary('a', { state }) }, restricted);
    expect(commandsOf('finished')).toContain('exportModel');
    expect(commandsOf('stopped')).not.toContain('exportModel');
    expect(commandsOf('finished', true)).toEqual([]);
  });
});

describe('a message to the page', () => {
  it('is refused where its shape is wrong, ignored where its type is unknown', () => {
    expect(() => parseMessage('hello')).toThrow(/no type/);
    expect(() => parseMessage({ type: 'runs', runs: [{}], shown: [] })).toThrow(/"runs".*wrong "runs"/);
    expect(() => parseMessage({ type: 'snapshot', run: 'a', snapshot: { metrics: [] } })).toThrow(/wrong "snapshot"/);
    expect(() => parseMessage({ type: 'events', run: 'a', events: [{ type: 'metrics' }] })).toThrow(/wrong "events"/);
    const files = [{ ...exportedFile(), weights: [{ name: 'fc1/kernel' }] }];
    expect(() => parseMessage({ type: 'exports', run: 'a', files })).toThrow(/wrong "files"/);
    expect(parseMessage({ type: 'of a later version' })).toBeUndefined();
    expect(parseMessage({ type: 'toString' })).toBeUndefined();
  });

  it('is taken where it is a real one', () => {
    const message = { type: 'snapshot', run: 'a', snapshot: snapshotOf(runEvents(100)) };
    expect(parseMessage(message)).toBe(message);
  });
});

describe('the view state', () => {
  it('survives the page, and what an older version has stored does no harm', () => {
    let kept: unknown;
    const store = {
      getState: () => kept,
      setState: (state: unknown) => (kept = JSON.parse(JSON.stringify(state)) as unknown),
    };
    const isNumber = (value: unknown): value is number => typeof value === 'number';
    new ViewState(store).remember('smoothing', 0, isNumber).set(0.5);
    new ViewState(store).shown = ['a'];
    const again = new ViewState(store);
    expect(again.shown).toEqual(['a']);
    expect(again.remember('smoothing', 0, isNumber).get()).toBe(0.5);
    kept = { shown: [1], values: { smoothing: 'much' } };
    expect(new ViewState(store).shown).toBeUndefined();
    expect(new ViewState(store).remember('smoothing', 0, isNumber).get()).toBe(0);
  });
});
