import { appendFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { layerPlace } from '../../../../extension/dashboard/layerPlace.ts';
import { parseFromDashboard } from '../../../../extension/dashboard/messages.ts';
import { readLog } from '../../../../extension/dashboard/readLog.ts';
import { DashboardSession, type DashboardRequest } from '../../../../extension/dashboard/session.ts';
import { MOST_SHOWN, type RunSummary, type ToDashboard } from '../../../../server/protocol/wire/dashboard.ts';
import { packSnapshot } from '../../../../server/protocol/wire/packSnapshot.ts';
import { createRunHistory } from '../../../../server/protocol/run/runHistory.ts';
import type { Run } from '../../../../server/runs/run.ts';
import { untilAsserted } from '../../../until.ts';
import { metricsAt, temporaryRun } from '../../runs/temporaryRun.ts';

const sessions: DashboardSession[] = [];
afterEach(() => sessions.splice(0).forEach((session) => session.dispose()));

const summary = (run: Run): RunSummary => ({
  key: run.path,
  id: run.id,
  name: 'lenet',
  experiment: 'lenet.deeptwist.jsonc',
  overrides: [],
  state: 'finished',
  created: 0,
});

async function finishedRun(): Promise<Run> {
  const run = await temporaryRun();
  await appendFile(run.eventsFile, `${JSON.stringify(metricsAt(1))}\n`);
  await run.update({ state: 'finished' });
  return run;
}

function open(isRun: (key: string) => boolean = () => true, options = {}) {
  const page = {
    visible: true,
    posted: [] as ToDashboard[],
    post: (message: ToDashboard) => page.posted.push(message),
  };
  const performed: DashboardRequest[] = [];
  const loads: string[] = [];
  const session = new DashboardSession(
    page,
    {
      isRun,
      restriction: () => undefined,
      load: async (file) => {
        loads.push(file);
        const history = createRunHistory();
        const offset = await readLog(file, (event) => history.apply(event));
        return { snapshot: packSnapshot(history.snapshot()).snapshot, offset };
      },
      connect: () => Promise.resolve(undefined),
      describeProblem: (_, problem) => ({ message: String(problem) }),
      perform: (request) => performed.push(request),
    },
    options,
  );
  sessions.push(session);
  const snapshotsOf = () => page.posted.flatMap((message) => (message.type === 'snapshot' ? [message.run] : []));
  return { page, performed, loads, session, snapshotsOf };
}

it('shows the newest run where nothing else is asked for, and runs that come later', async () => {
  const run = await finishedRun();
  const { session, page, snapshotsOf } = open();
  session.receive({ type: 'ready' });
  session.setRuns([]);
  expect(page.posted.map(({ type }) => type)).toEqual(['runs', 'restricted']);
  session.setRuns([summary(run)]);
  await untilAsserted(() => expect(snapshotsOf()).toEqual([run.path]));
  expect(page.posted).toContainEqual({ type: 'runs', runs: [summary(run)], shown: [run.path] });
});

it('shows what the page showed before it was loaded again, and tells it so first', async () => {
  const [newest, run] = [await finishedRun(), await finishedRun()];
  const { session, page, snapshotsOf } = open();
  session.receive({ type: 'ready', shown: [run.path] });
  expect(page.posted).toEqual([]);
  session.setRuns([summary(newest), summary(run)]);
  await untilAsserted(() => expect(snapshotsOf()).toEqual([run.path]));
  session.receive({ type: 'ready', shown: [run.path] });
  await untilAsserted(() => expect(snapshotsOf()).toEqual([run.path, run.path]));
  expect(page.posted.map(({ type }) => type)).toEqual([
    'runs',
    'restricted',
    'snapshot',
    'runs',
    'restricted',
    'snapshot',
  ]);
  expect(page.posted[0]).toMatchObject({ shown: [run.path] });
});

it('shows the other runs, or else the newest one, when a shown run has been deleted', async () => {
  const [newest, deleted] = [await finishedRun(), await finishedRun()];
  const { session, page } = open();
  session.receive({ type: 'ready' });
  session.setRuns([summary(newest), summary(deleted)]);
  session.show([deleted.path, newest.path]);
  const shownLast = () => page.posted.flatMap((message) => (message.type === 'runs' ? [message.shown] : [])).at(-1);
  expect(shownLast()).toEqual([deleted.path, newest.path]);
  session.forget([deleted.path]);
  session.setRuns([summary(newest)]);
  expect(shownLast()).toEqual([newest.path]);
  session.forget([newest.path]);
  session.setRuns([]);
  expect(shownLast()).toEqual([]);
  expect(page.posted.filter(({ type }) => type === 'problem')).toEqual([]);
});

it('reads a run while its page is being loaded', async () => {
  const run = await finishedRun();
  for (const remembers of [false, true]) {
    const { session, page, loads } = open(undefined, { remembers });
    if (remembers) session.show([run.path]);
    session.setRuns([summary(run)]);
    await untilAsserted(() => expect(loads).toHaveLength(1));
    expect(page.posted).toEqual([]);
    session.receive({ type: 'ready' });
    await untilAsserted(() => expect(page.posted.map(({ type }) => type)).toEqual(['runs', 'restricted', 'snapshot']));
    expect(loads).toHaveLength(1);
  }
});

it('shows what a command asks for, whatever the page showed', async () => {
  const [one, other] = [await finishedRun(), await finishedRun()];
  const { session, snapshotsOf } = open();
  session.show([other.path, other.path]);
  session.receive({ type: 'ready', shown: [one.path] });
  session.setRuns([summary(one), summary(other)]);
  await untilAsserted(() => expect(snapshotsOf()).toEqual([other.path]));
});

it('sends nothing to a page that is hidden', async () => {
  const [one, other] = [await finishedRun(), await finishedRun()];
  const { session, page, snapshotsOf } = open();
  page.visible = false;
  session.receive({ type: 'ready' });
  session.setRuns([summary(one), summary(other)]);
  session.show([one.path]);
  // A page that can be seen has been sent everything meanwhile.
  const seen = open();
  seen.session.receive({ type: 'ready' });
  seen.session.setRuns([summary(one), summary(other)]);
  await untilAsserted(() => expect(seen.snapshotsOf()).toEqual([one.path]));
  expect(page.posted).toEqual([]);
  page.visible = true;
  session.visibilityChanged();
  await untilAsserted(() => expect(snapshotsOf()).toEqual([one.path]));
});

it('does nothing for a page about what is no run of the workspace', async () => {
  const run = await finishedRun();
  const { session, page, performed } = open((key) => key === run.path);
  session.setRuns([]);
  session.receive({ type: 'ready', shown: ['/etc'] });
  session.receive({ type: 'show', runs: ['/etc'] });
  session.receive({ type: 'command', command: 'stop', run: '/etc' });
  session.receive({ type: 'revealLayer', run: '/etc', weight: 'fc1/kernel', compressed: true });
  expect([session.shown, performed, page.posted.map(({ type }) => type)]).toEqual([[], [], ['runs', 'restricted']]);
  session.receive({ type: 'command', command: 'stop', run: run.path });
  session.receive({ type: 'command', command: 'newExperiment' });
  expect(performed.map((request) => request.type === 'command' && request.command)).toEqual(['stop', 'newExperiment']);
});

it('takes no message of another form, and no path for a file name', () => {
  expect(parseFromDashboard({ type: 'command', command: 'delete everything' })).toBeUndefined();
  expect(parseFromDashboard({ type: 'show', runs: 'all' })).toBeUndefined();
  expect(parseFromDashboard(null)).toBeUndefined();
  expect(parseFromDashboard({ type: 'save', name: '../../.bashrc', format: 'csv', content: '' })).toMatchObject({
    name: '-..-.bashrc',
  });
  const png = { type: 'save', name: 'loss.png', format: 'png', content: new Uint8Array([1]) };
  expect(parseFromDashboard(png)).toEqual(png);
});

it('finds the key that chose a weight in the experiment file', () => {
  const text = '{ "compression": {\n  "layers": {\n    "fc*": {},\n    "fc1": {} } } }';
  expect(layerPlace(text, 'fc1')).toEqual({ key: 'fc1', line: 4, column: 5 });
  expect(layerPlace(text, 'fc*')).toEqual({ key: 'fc*', line: 3, column: 5 });
});

it('finds all keys where the file no longer has the one that chose the weight, or the log does not tell it', () => {
  const text = '{ "compression": {\n  "layers": { "fc1": {} } } }';
  for (const key of ['fc2', undefined]) expect(layerPlace(text, key)).toEqual({ key: 'layers', line: 2, column: 3 });
  expect(layerPlace('{ "model": "./model.ts" }', 'fc1')).toBeUndefined();
  expect(layerPlace('{', 'fc1')).toBeUndefined();
});

it('opens the view that a command is about, also in a page that is not ready yet', async () => {
  const run = await finishedRun();
  const { session, page } = open(() => true, { remembers: false });
  const tabs = () => page.posted.filter(({ type }) => type === 'openTab');
  session.setRuns([summary(run)]);
  session.show([run.path], { tab: 'compare' });
  expect(tabs()).toEqual([]);
  session.receive({ type: 'ready' });
  expect(tabs()).toEqual([{ type: 'openTab', tab: 'compare' }]);
  session.show([run.path]);
  expect(tabs()).toHaveLength(1);
});

it('reads no run while the dashboard is elsewhere, and goes on when it is back', async () => {
  const run = await finishedRun();
  const { session, page, snapshotsOf } = open();
  session.elsewhere = true;
  session.receive({ type: 'ready' });
  session.receive({ type: 'tab', tab: 'layers' });
  session.setRuns([summary(run)]);
  session.show([run.path], { tab: 'layers' });
  expect(session.tab).toBe('layers');
  expect(page.posted.map(({ type }) => type)).toEqual(['elsewhere', 'openTab']);
  // A page that was loaded again is told again.
  session.receive({ type: 'ready' });
  expect(page.posted.at(-1)).toEqual({ type: 'elsewhere', elsewhere: true });
  session.elsewhere = false;
  expect(page.posted).toContainEqual({ type: 'elsewhere', elsewhere: false });
  await untilAsserted(() => expect(snapshotsOf()).toEqual([run.path]));
});

it('shows the first of more runs than it can compare, and also when the window is loaded again', () => {
  const keys = Array.from({ length: 70 }, (_, i) => `/runs/${i}`);
  const first = keys.slice(0, MOST_SHOWN);
  const { session, page } = open();
  session.receive({ type: 'ready' });
  session.setRuns([]);
  session.show(keys);
  expect(session.shown).toEqual(first);
  // A page has chosen one more, and draws it already.
  page.posted.length = 0;
  session.receive(parseFromDashboard({ type: 'show', runs: [...first, '/runs/60'] })!);
  expect(page.posted).toContainEqual({ type: 'runs', runs: [], shown: first });
  const again = open();
  again.session.receive(parseFromDashboard({ type: 'ready', shown: keys })!);
  expect(again.session.shown).toEqual(first);
  expect(parseFromDashboard({ type: 'ready', shown: ['', 7] })).toEqual({ type: 'ready' });
});
