import { expect, test } from 'vitest';
import {
  exportedText,
  measuredText,
  progressPercent,
  progressText,
} from '../../../../extension/commands/exportText.ts';
import { latency } from '../../webview/latency.ts';
import { exportedFile } from '../../webview/exportedFile.ts';
import { l10n } from '../weightsInCode/editorFixture.ts';

test('a file that was exported is told of with its size, and its metric beside that of the run', () => {
  expect(exportedText(l10n, exportedFile())).toBe(
    'Exported mnist.onnx: 28.2 kB, 37.8x smaller than 1.07 MB, accuracy 98.09% on the file (98.09% in the run).',
  );
  expect(exportedText(l10n, exportedFile({ bytes: 2_000_000, value: null, runValue: undefined }))).toBe(
    'Exported mnist.onnx: 2.00 MB, accuracy NaN% on the file.',
  );
});

test('an export that goes on says what it does, and how far it is where that is known', () => {
  const states = [
    { phase: 'loading' },
    { phase: 'writing' },
    { phase: 'verifying', samples: 2500, of: 10_000 },
    { phase: 'verifying', samples: 2500 },
    { phase: 'measuring', rounds: 5, of: 20 },
    { phase: 'scanning', settings: 4, of: 16 },
    { phase: 'easing' },
  ] as const;
  expect(states.map((state) => progressText(l10n, state))).toEqual([
    'loading the model…',
    'writing the file…',
    'evaluating the file: 2,500 of 10,000 samples',
    'evaluating the file: 2,500 samples',
    'round 5 of 20',
    'setting 4 of 16',
    'measuring the suggested settings together…',
  ]);
  expect(states.map(progressPercent)).toEqual([undefined, undefined, 25, undefined, 25, 25, undefined]);
});

test('a measurement is told of by the packed file beside the dense model', () => {
  expect(measuredText(l10n, latency())).toBe(
    'One input takes 0.00287 ms in the packed file, 0.0207 ms in the dense model: 7.21x faster.',
  );
  const [dense, packed] = latency().models;
  const slower = { ...packed, single: { samples: 1, median: 0.05, p90: 0.06 } };
  expect(measuredText(l10n, latency({ models: [dense, slower] }))).toBe(
    'One input takes 0.0500 ms in the packed file, 0.0207 ms in the dense model.',
  );
  expect(measuredText(l10n, latency({ models: [dense] }))).toBe('The latency was measured.');
});
