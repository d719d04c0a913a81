import { describe, expect, it } from 'vitest';
import { fileName } from '../../../../../server/protocol/fileName.ts';
import { fileFacts, formatLabel } from '../../../../../webview/views/files/fileFacts.ts';
import { exportedFile } from '../../exportedFile.ts';

const texts = (changes: Parameters<typeof exportedFile>[0] = {}) =>
  fileFacts(exportedFile(changes)).map(({ name, value, note }) => [name, value, note].join(' | '));

describe('what is said of an exported file', () => {
  it('is its sizes, the metric of the file beside that of the run, and the largest difference', () => {
    expect(texts()).toEqual([
      'Size | 28.2 kB | 37.8x smaller than 1.07 MB of floats',
      'With gzip | 23.3 kB | ',
      'Accuracy | 98.09% | of the file, in ONNX Runtime; 98.09% when the run ended',
      "Largest difference | 5.7e-6 | of an output from the run's; 1e-4 is allowed",
    ]);
  });

  it('claims nothing that is not so: a larger file, a run without a result, a metric that is not finite', () => {
    const [size, , metric] = texts({ bytes: 2_000_000, metric: 'perplexity', value: null, runValue: undefined });
    expect(size).toBe('Size | 2.00 MB | not smaller than 1.07 MB of floats');
    expect(metric).toBe('Perplexity | NaN | of the file, in ONNX Runtime');
  });

  it('has the name of a file or folder of any system, and the word of a format that is not known', () => {
    expect(['/a/net.onnx', 'C:\\a\\net.onnx', '/a/tfjs/', ''].map(fileName)).toEqual([
      'net.onnx',
      'net.onnx',
      'tfjs',
      '',
    ]);
    expect([formatLabel('onnx'), formatLabel('of-a-later-version')]).toEqual(['ONNX', 'of-a-later-version']);
  });
});
