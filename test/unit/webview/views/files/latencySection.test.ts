import { expect, test } from 'vitest';
import type { Latency } from '../../../../../server/protocol/run/latency.ts';
import { latencyColumns } from '../../../../../webview/views/files/latencySection.ts';
import { latency } from '../../latency.ts';

const rows = (measured: Latency) =>
  measured.models.map((model) => latencyColumns(measured).map(({ cell }) => cell(model)));

test('each model has its times, its memory and its file beside those of the first', () => {
  const measured = latency();
  expect(latencyColumns(measured).map(({ title }) => title)).toEqual([
    ...['Model', 'One input', 'Faster', '90% within', 'Batch of 32', '90% within'],
    ...['Weights in memory', 'Peak memory', 'File'],
  ]);
  expect(rows(measured)).toEqual([
    ['Dense model', '0.0207 ms', '–', '0.0229 ms', '0.0892 ms', '0.0951 ms', '1.07 MB', '96.4 MB', '1.07 MB'],
    [
      'Packed Safetensors',
      '0.00287 ms',
      '7.21x',
      '0.00371 ms',
      '0.0775 ms',
      '0.0828 ms',
      '26.6 kB',
      '65.2 MB',
      '24.9 kB',
    ],
  ]);
});

test('a model that takes batches of one size alone is compared by these', () => {
  const [dense, packed] = latency().models;
  const measured = latency({ models: [{ ...dense, single: undefined }, packed] });
  expect(rows(measured)[0].slice(0, 5)).toEqual(['Dense model', '–', '–', '–', '0.0892 ms']);
  expect(rows(measured)[1][2]).toBe('1.15x');
});

test('files by their names, without a batch and of a format of a later version', () => {
  const [dense, packed] = latency().models;
  const file = { ...packed, file: 'net.safetensors', batch: undefined, weightBytes: undefined };
  const measured = latency({ models: [file, { ...dense, dense: false, format: 'later', batch: undefined }] });
  expect(rows(measured).map((row) => [row[0], row[2], row[4]])).toEqual([
    ['net.safetensors', '–', '–'],
    ['later', '0.139x', '1.07 MB'],
  ]);
});
