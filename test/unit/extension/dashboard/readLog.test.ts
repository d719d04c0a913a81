import { appendFile, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeEvents } from '../../../../extension/dashboard/eventLines.ts';
import { loadSnapshot } from '../../../../extension/dashboard/loadSnapshot.ts';
import { readLog } from '../../../../extension/dashboard/readLog.ts';
import { METRICS_NUMBERS, scanMetricsLine } from '../../../../extension/dashboard/metricsLine.ts';
import { restoreSnapshot } from '../../../../server/protocol/wire/packSnapshot.ts';
import type { RunEvent } from '../../../../server/protocol/run/events.ts';
import { distortion, started, wholeRun } from '../../cli/sampleEvents.ts';
import { metricsAt } from '../../runs/temporaryRun.ts';
import { workspace } from '../../training/workspace.ts';
import { buildRunReader } from './buildRunReader.ts';

const line = (event: object) => `${JSON.stringify(event)}\n`;

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deeptwist-reader-'));
  file = join(folder, 'events.jsonl');
});
afterAll(() => rm(folder, { recursive: true }));

function eventsOf(text: string): RunEvent[] {
  const events: RunEvent[] = [];
  takeEvents(Buffer.from(text), (event) => events.push(event));
  return events;
}

describe('a line of metrics', () => {
  it('is read to the same numbers as by JSON.parse, whatever the numbers', () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    );
    const metrics = fc.record({
      step: fc.nat(),
      loss: number,
      learningRate: number,
      stepsPerSecond: number,
      epoch: number,
      time: fc.nat(),
    });
    fc.assert(
      fc.property(metrics, (values) => {
        const event = { type: 'metrics', ...values };
        const bytes = Buffer.from(line(event));
        const numbers = new Float64Array(METRICS_NUMBERS);
        expect(scanMetricsLine(bytes, 0, numbers)).toBe(bytes.length);
        const { step, loss, learningRate, stepsPerSecond, epoch, time } = JSON.parse(line(event)) as Record<
          string,
          number
        >;
        expect([...numbers]).toEqual([step, loss, learningRate, stepsPerSecond, epoch, time]);
      }),
      { numRuns: 500 },
    );
  });

  // The scan once expected the time after the step: it read no line that was ever written, and every one was left to JSON.parse.
  it('is scanned as the trainer writes it', async () => {
    const { run } = await (await workspace()).run();
    const log = await readFile(run.eventsFile, 'utf8');
    const lines = log.split('\n').filter((text) => text.startsWith('{"type":"metrics"'));
    expect(lines).not.toHaveLength(0);
    for (const text of lines) {
      const bytes = Buffer.from(`${text}\n`);
      expect(scanMetricsLine(bytes, 0, new Float64Array(METRICS_NUMBERS)), text).toBe(bytes.length);
      expect(eventsOf(`${text}\n`)).toEqual([JSON.parse(text)]);
    }
  });

  it('is left to the schema where it looks different in any way', () => {
    const { type, step, ...rest } = metricsAt(1);
    for (const other of [
      line({ step, type, ...rest }),
      line({ ...metricsAt(1), added: 'by a later version' }),
      line({ ...metricsAt(1), loss: NaN }),
      ` ${line(metricsAt(1))}`,
    ])
      expect(scanMetricsLine(Buffer.from(other), 0, new Float64Array(METRICS_NUMBERS))).toBe(-1);
    const parts = { ...metricsAt(1), losses: { data: 0.5, regularization: NaN } };
    expect(eventsOf(line(parts) + line(metricsAt(2)))).toEqual([parts, metricsAt(2)]);
    const [event] = eventsOf(line({ ...metricsAt(1), loss: NaN }));
    expect(event).toEqual({ ...metricsAt(1), loss: NaN });
  });

  it('that is damaged is passed over, and the next one is read', () => {
    const damaged = [
      '{"type":"metrics","step":1,"loss":',
      '{"type":"metrics","step":-,"loss":1',
      '{"type":"metrics","step":1.5}',
      '{}',
      '',
    ];
    for (const text of damaged) expect(eventsOf(`${text}\n${line(metricsAt(2))}`)).toEqual([metricsAt(2)]);
    expect(eventsOf(`${line({ ...metricsAt(1), step: 0.5 })}${line({ ...metricsAt(1), step: -1 })}`)).toEqual([]);
  });
});

describe('reading a log', () => {
  it('passes over unknown types and a half line, and says where to read on', async () => {
    const whole = line(started) + line({ type: 'gradient-norms', step: 1, time: 0 }) + line(metricsAt(1));
    await writeFile(file, `${whole}{"type":"metr`);
    const events: RunEvent[] = [];
    const offset = await readLog(file, (event) => events.push(event));
    expect(events).toEqual([started, metricsAt(1)]);
    expect(offset).toBe(whole.length);

    await truncate(file, whole.length);
    await appendFile(file, line(metricsAt(2)));
    const more: RunEvent[] = [];
    expect(await readLog(file, (event) => more.push(event), { from: offset })).toBe(
      whole.length + line(metricsAt(2)).length,
    );
    expect(more).toEqual([metricsAt(2)]);
  });

  it('reads lines longer than a chunk, with letters that lie across two', async () => {
    const warning: RunEvent = { type: 'warning', step: 1, time: 0, message: 'ä€😀'.repeat(200_000) };
    await writeFile(file, line(warning) + line(metricsAt(2)) + line(warning));
    const events: RunEvent[] = [];
    await readLog(file, (event) => events.push(event));
    expect(events).toEqual([warning, metricsAt(2), warning]);
  });
});

describe('the worker thread', () => {
  let worker: URL;
  beforeAll(async () => {
    worker = pathToFileURL(await buildRunReader(folder));
  });
  const options = () => ({ signal: new AbortController().signal, onProgress: () => undefined });

  it('folds a log into a snapshot whose columns are typed arrays', async () => {
    const text = wholeRun.map(line).join('');
    await writeFile(file, text);
    const { snapshot: sent, offset } = await loadSnapshot(worker, file, options());
    const snapshot = restoreSnapshot(sent);
    expect(offset).toBe(text.length);
    expect(snapshot.started?.run).toBe(started.run);
    expect([...snapshot.metrics.columns.step]).toEqual([1, 10000, 20000]);
    expect(snapshot.weights['fc1/kernel'].map(({ step }) => step)).toEqual([10000, 20000]);
    expect([...snapshot.weights['fc1/kernel'][0].before]).toEqual(distortion(1).weights[0].histogram.before);
    expect(snapshot.end?.type).toBe('finished');
  });

  it('gives an empty snapshot of a run that has recorded nothing', async () => {
    const { snapshot, offset } = await loadSnapshot(worker, join(folder, 'none.jsonl'), options());
    expect([offset, snapshot.metrics.length]).toEqual([0, 0]);
  });

  it('ends when nobody wants the run any more', async () => {
    await writeFile(file, Array.from({ length: 200_000 }, (_, step) => line(metricsAt(step + 1))).join(''));
    const abort = new AbortController();
    const loading = loadSnapshot(worker, file, { ...options(), signal: abort.signal });
    // A machine that reads 25 MB in this time, the start of the thread included, has yet to be built.
    setTimeout(() => abort.abort(new Error('deselected')), 20);
    await expect(loading).rejects.toThrow('deselected');
    await expect(loadSnapshot(worker, file, { ...options(), signal: abort.signal })).rejects.toThrow('deselected');
  });

  it('reads a log of 40 MB in pieces, and tells how far it is', async () => {
    const lines = 50_000;
    await writeFile(file, '');
    for (let steps = 0, size = 0; size < 40e6; steps += lines) {
      const text = Array.from({ length: lines }, (_, step) => line(metricsAt(steps + step + 1))).join('');
      await appendFile(file, text);
      size += text.length;
    }
    const fractions: number[] = [];
    const { snapshot: sent, offset } = await loadSnapshot(worker, file, {
      ...options(),
      onProgress: (fraction) => fractions.push(fraction),
    });
    const { metrics } = restoreSnapshot(sent);
    expect(offset).toBeGreaterThan(40e6);
    expect(metrics.length % lines).toBe(0);
    expect([metrics.columns.step[0], metrics.columns.step[metrics.length - 1]]).toEqual([1, metrics.length]);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.length).toBeGreaterThan(1);
  });

  it('says why a log cannot be read', async () => {
    const loop = join(folder, 'loop.jsonl');
    await symlink(loop, loop);
    await expect(loadSnapshot(worker, loop, options())).rejects.toThrow('its links lead in a circle');
  });
});
