import { describe, expect, it } from 'vitest';
import { shortest } from '../../until.ts';
import {
  advance,
  compressionNow,
  latestMetric,
  newProgress,
  secondsLeft,
} from '../../../server/protocol/run/progress.ts';
import type { Progress } from '../../../server/protocol/run/progress.ts';
import { ProgressDisplay } from '../../../server/cli/progressDisplay.ts';
import { eventLines, statusLine } from '../../../server/cli/report.ts';
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { MemoryTerminal } from './memoryTerminal.ts';
import { distortion, evaluation, finished, metrics, started, wholeRun } from './sampleEvents.ts';

function after(...events: RunEvent[]): Progress {
  return events.reduce(advance, newProgress());
}

describe('progress', () => {
  it('is what the events tell: step, speed, newest metric', () => {
    const progress = after(started, metrics(5000), evaluation(5000, 0.9), metrics(10000));
    expect(progress.step).toBe(10000);
    expect(secondsLeft(progress)).toBeCloseTo(10000 / 812.345, 9);
    expect(latestMetric(progress)).toMatchObject({ metric: 'accuracy', value: 0.9 });
    expect(latestMetric(after(...wholeRun))).toEqual({ metric: 'accuracy', value: 0.98412, split: 'test' });
  });

  it('drops what a resumed run will do again', () => {
    const progress = after(started, metrics(5000), evaluation(5000, 0.9), metrics(8000), evaluation(8000, 0.95), {
      ...started,
      step: 5000,
      resumedFrom: 5000,
    });
    expect(progress).toMatchObject({ step: 5000, evaluations: [{ step: 5000 }] });
    expect(progress.metrics).toBeUndefined();
  });

  it('lists the weights that a run began with under other names', () => {
    const weights = Array.from({ length: 50 }, (_, i) => ({
      name: `fc${i}/kernel`,
      tensors: i === 0 ? ['fc0/kernel'] : [`${i}.weight`],
      by: i === 2 ? ('order' as const) : ('name' as const),
    }));
    const pretrained: RunEvent = { type: 'pretrained', step: 0, time: 0, from: './net.pt', count: 52, weights };
    expect(after(started, pretrained).pretrained).toBe(pretrained);
    const lines = eventLines(pretrained, new MemoryTerminal()).map((line) => line.trimEnd());
    expect(lines[0]).toBe('start       50 of 52 weights from ./net.pt');
    expect(lines[1].trim()).toMatch(/^fc1\/kernel {2,}1\.weight$/);
    expect(lines[2].trim()).toMatch(/^fc2\/kernel {2,}2\.weight {2,}by shape and order$/);
    expect(lines).toHaveLength(42);
    expect(lines[41]).toBe('  and 9 more, which `deeptwist show` lists');
  });

  it('of a long run is found in a time that grows with its length and not with its square', async () => {
    const long = 60_000;
    const events = Array.from({ length: long }, (_, i) => [
      { ...evaluation(i + 1, 0.5), split: 'validation' as const },
      { type: 'warning' as const, step: i + 1, time: 0, message: 'unusual' },
    ]).flat();
    const took = await shortest(1000, () => {
      const start = performance.now();
      const progress = after(started, ...events);
      expect(statusLine(progress, 80)).toContain('60,000');
      expect([progress.evaluations.length, progress.warnings.length]).toEqual([long, long]);
      return performance.now() - start;
    });
    // 70 s when each event copied the list.
    expect(took).toBeLessThan(1000);
  });

  it('has the settings in effect, and what was changed', () => {
    const config = { ...started.config, training: { ...started.config.training, seed: 7 } };
    const changed: EventOf<'changed'> = {
      type: 'changed',
      step: 600,
      time: 0,
      settings: [{ path: 'compression.schedule', to: { from: 5 } }],
      config,
    };
    expect(after(started, changed)).toMatchObject({ step: 600, started: { config }, changes: [changed] });
    expect(eventLines(changed, new MemoryTerminal())).toEqual([
      'step 600  changed compression.schedule none -> {"from":5}',
    ]);
    expect(after(started, changed, { ...started, resumedFrom: 500 })).toMatchObject({ started, changes: [] });
  });

  it('tells what was removed from the model', () => {
    const units = { before: 300, after: 187 };
    const cost = { parameters: { before: 235_500, after: 146_795 }, multiplyAdds: { before: 235_200, after: 146_608 } };
    const thinned: EventOf<'thinned'> = {
      type: 'thinned',
      step: 6000,
      time: 0,
      removed: [
        { layer: 'fc1', units, ...cost, kept: [] },
        { layer: 'fc3', units: { before: 10, after: 10 }, ...cost, kept: [] },
      ],
      ...cost,
      lossBefore: 0.1,
      lossAfter: 0.1,
      layers: [],
    };
    expect(eventLines(thinned, new MemoryTerminal())).toEqual([
      'step 6,000  thinned 235,500 → 146,795 weights: fc1 300 → 187 units',
    ]);
    const kept = [{ units: 3, reason: 'conv2 pads its input with zeros' }];
    const nothing = { ...thinned, removed: [{ layer: 'conv1', ...cost, kept }], parameters: { before: 9, after: 9 } };
    expect(eventLines(nothing, new MemoryTerminal())).toEqual([
      'step 6,000  thinned nothing is removed; 3 units stay of conv1: conv2 pads its input with zeros',
    ]);
    expect(after(started, thinned)).toMatchObject({ thinnings: [thinned] });
    expect(after(started, thinned, { ...started, resumedFrom: 500 })).toMatchObject({ thinnings: [] });
  });

  it('tells the present sparsity, bits or rank from the last observed distortion', () => {
    expect(compressionNow(after(started))).toBeUndefined();
    expect(compressionNow(after(started, distortion(10)))).toBe('sparsity 90.0%');
    const [weight] = distortion(10).weights;
    const withSettings = (...settings: EventOf<'distortion'>['weights'][number]['setting'][]) =>
      compressionNow(after({ ...distortion(10), weights: settings.map((setting) => ({ ...weight, setting })) }));
    expect(withSettings({ bits: 3 }, { bits: 3 })).toBe('3 bits');
    expect(withSettings({ rank: 64 }, { rank: 32 })).toBe('rank 32-64');
    expect(withSettings({})).toBeUndefined();
  });

  it('tells the ranks and the units that training has left', () => {
    const [weight] = distortion(10).weights;
    const nuclearNorm = (rank: number) => ({ before: 9, after: 8, rank, largest: 3, threshold: 0.1 });
    const left = (...weights: EventOf<'distortion'>['weights']) =>
      compressionNow(after({ ...distortion(10), weights }));
    expect(left({ ...weight, nuclearNorm: nuclearNorm(10) }, { ...weight, nuclearNorm: nuclearNorm(32) })).toBe(
      'rank 10-32',
    );
    const units = { left: 120, all: 1300 };
    expect(left({ ...weight, nuclearNorm: nuclearNorm(10), units }, { ...weight, units })).toBe(
      'rank 10, 240 of 2,600 units',
    );
  });
});

describe('statusLine', () => {
  const progress = after(started, metrics(10000), distortion(10000), evaluation(10000, 0.95));

  it('tells how far the run is and how well it does', () => {
    expect(statusLine(progress, Infinity)).toBe(
      '[=========>          ] 10,000/20,000  loss 0.1235  accuracy 0.95  sparsity 90.0%  812.3 steps/s  12 s left',
    );
  });

  it('leaves out the bar, and then what stands to the right, where the terminal is narrow', () => {
    expect(statusLine(progress, 90)).toBe(
      '10,000/20,000  loss 0.1235  accuracy 0.95  sparsity 90.0%  812.3 steps/s  12 s left',
    );
    expect(statusLine(progress, 30)).toBe('10,000/20,000  loss 0.1235  a…');
  });

  it('shows a loss that diverged', () => {
    expect(statusLine(after(started, metrics(1, NaN)), Infinity)).toContain('loss NaN');
  });

  it('says that a run is starting before it has begun', () => {
    expect(statusLine(newProgress(), 80)).toBe('starting …');
  });
});

describe('ProgressDisplay', () => {
  it('writes results as they come, and the tables at the end', () => {
    const terminal = new MemoryTerminal();
    const display = new ProgressDisplay({ stdout: terminal, stderr: terminal, now: () => 0 });
    for (const event of wholeRun) display.show(event);
    display.end();
    expect(terminal.text).toMatchInlineSnapshot(`
      "20261122-120005-lenet on CPU, compiled
      step 10,000  test accuracy 0.95  loss 0.06123
      warning: the learning rate is high
      step 20,000  test accuracy 0.984  loss 0.06123 before the last distortion
      step 20,000  test accuracy 0.9841  loss 0.06123 at the end

      layer       shape    weights   kept  fewer by    bytes  would take  smaller by
      fc1/kernel  784x300  235,200  4,704     50.0x   941 kB     25.0 kB       37.6x
      fc1/bias    300          300    300     1.00x  1.20 kB     1.20 kB       1.00x

      test accuracy  0.9841  (0.984 before the last distortion)
      weights        266,200 -> 5,344  49.8x
      bytes          1.07 MB, would take 32.1 kB  33.2x
      near zero      123 non-zero weights below 1% of their standard deviation
      time           1 min 20 s: training 1 min 10 s, distortions 3 s, observation 2 s, evaluation 5 s
      speed          812.3 steps/s over 20,000 steps
      "
    `);
  });

  it('warns of a loss that has risen', () => {
    const terminal = new MemoryTerminal();
    const display = new ProgressDisplay({ stdout: terminal, stderr: terminal, now: () => 0 });
    const lossRise = { first: 2.3, last: 14.5 };
    for (const event of wholeRun)
      display.show(event.type === 'finished' ? { ...event, summary: { ...event.summary, lossRise } } : event);
    display.end();
    expect(terminal.text).toContain('warning: The loss rose from 2.3 to 14.5: the training may have diverged.');
  });

  it('tells the size of the compressed file where the run has one', () => {
    const terminal = new MemoryTerminal();
    const display = new ProgressDisplay({ stdout: terminal, stderr: terminal, now: () => 0 });
    for (const event of wholeRun)
      display.show(event.type === 'finished' ? { ...event, summary: { ...event.summary, fileBytes: 32_900 } } : event);
    display.end();
    expect(terminal.text).toContain('\nbytes          1.07 MB, in compressed.safetensors 32.9 kB  32.4x\n');
  });

  it('writes a status line every five seconds where lines cannot be rewritten', () => {
    const terminal = new MemoryTerminal();
    let now = 0;
    const display = new ProgressDisplay({ stdout: terminal, stderr: terminal, now: () => now });
    display.show(started);
    for (let step = 1; step <= 22; step++) {
      now += 1000;
      display.show(metrics(step));
    }
    expect(terminal.lines.filter((line) => line.startsWith('['))).toHaveLength(4);
  });

  it('tells how many images are decoded, until the run has begun', () => {
    const terminal = new MemoryTerminal();
    let now = 0;
    const display = new ProgressDisplay({ stdout: terminal, stderr: terminal, now: () => now });
    for (let done = 1000; done <= 12_000; done += 1000) {
      now += 1000;
      display.showDecoded({ what: 'images', done, total: 12_000 });
    }
    display.show(started);
    now += 5000;
    display.show(metrics(1));
    expect(terminal.lines.slice(0, 2)).toEqual([
      'decoding images, 5,000 of 12,000',
      'decoding images, 10,000 of 12,000',
    ]);
    expect(terminal.lines.some((line) => line.startsWith('['))).toBe(true);
  });

  it('rewrites one status line in a terminal, and never one wider than it', () => {
    const terminal = Object.assign(new MemoryTerminal(), { interactive: true, columns: 40 });
    let now = 0;
    const display = new ProgressDisplay({ stdout: terminal, stderr: terminal, now: () => now });
    for (const event of [started, metrics(1), metrics(2), evaluation(2, 0.5), metrics(3), finished]) {
      now += 200;
      display.show(event);
    }
    display.end();
    const rewritten = terminal.text.split('\r\u001b[2K');
    expect(rewritten.length).toBeGreaterThan(4);
    for (const text of rewritten.slice(1, -1)) expect(text.split('\n').at(-1)!.length).toBeLessThan(40);
    expect(terminal.text.endsWith('\n')).toBe(true);
    expect(terminal.text).not.toContain('\u001b[1m'); // Colors are off.
  });

  it('does not write more than ten status lines a second', () => {
    const terminal = Object.assign(new MemoryTerminal(), { interactive: true, columns: 80 });
    let now = 0;
    const display = new ProgressDisplay({ stdout: terminal, stderr: terminal, now: () => now });
    display.show(started);
    for (let step = 1; step <= 1000; step++) {
      now += 1;
      display.show(metrics(step));
    }
    expect(terminal.text.split('\r').length).toBeLessThanOrEqual(12);
  });

  it('tells a failure on standard error, with what to do about it', () => {
    const stdout = new MemoryTerminal();
    const stderr = new MemoryTerminal();
    const display = new ProgressDisplay({ stdout, stderr, now: () => 0 });
    display.show({ type: 'failed', step: 7, time: 0, message: 'the loss is NaN', remedy: 'Lower the learning rate.' });
    expect(stderr.lines).toEqual(['error: the loss is NaN', 'to do: Lower the learning rate.']);
    expect(stdout.text).toBe('');
  });
});
