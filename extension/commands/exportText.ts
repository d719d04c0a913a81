/** @file An export or a measurement in words, while it goes on and when it is done. Pure. */
import { basename } from 'node:path';
import { formatBytes, formatCount, formatRatio } from '../../server/protocol/formatQuantity.ts';
import type { ExportedFile } from '../../server/protocol/run/exportedFile.ts';
import type { Latency } from '../../server/protocol/run/latency.ts';
import { formatMilliseconds, speedup } from '../../server/protocol/run/latencyText.ts';
import { formatMetric } from '../../server/protocol/run/resultText.ts';
import type { ExportProgress } from '../../server/protocol/wire/progressLine.ts';
import type { Translation } from '../translation.ts';

/** `Exported mnist.onnx: 28.2 kB, 38.1x smaller than 1.07 MB, accuracy 98.09% on the file (98.09% in the run).` */
export function exportedText(l10n: Translation, file: ExportedFile): string {
  const { path, bytes, denseBytes, metric, value, runValue } = file;
  const name = basename(path);
  const size = formatBytes(bytes);
  const ratio = formatRatio(denseBytes / bytes);
  const dense = formatBytes(denseBytes);
  const measured = `${metric} ${formatMetric(metric, value ?? NaN)}`;
  const result =
    runValue === undefined
      ? l10n.t('{0} on the file', measured)
      : l10n.t('{0} on the file ({1} in the run)', measured, formatMetric(metric, runValue ?? NaN));
  return bytes < denseBytes
    ? l10n.t('Exported {0}: {1}, {2} smaller than {3}, {4}.', name, size, ratio, dense, result)
    : l10n.t('Exported {0}: {1}, {2}.', name, size, result);
}

/** `One input takes 0.00287 ms in the packed file, 0.0207 ms in the dense model: 7.21x faster.` */
export function measuredText(l10n: Translation, latency: Latency): string {
  const { models } = latency;
  const [dense] = models;
  const packed = models.find(({ format }) => format === 'packed');
  const ratio = packed && speedup(latency, packed);
  if (!dense.single || !packed?.single || ratio === undefined) return l10n.t('The latency was measured.');
  const [ours, theirs] = [packed, dense].map(({ single }) => formatMilliseconds(single?.median ?? NaN));
  return ratio > 1
    ? l10n.t(
        'One input takes {0} in the packed file, {1} in the dense model: {2} faster.',
        ours,
        theirs,
        formatRatio(ratio),
      )
    : l10n.t('One input takes {0} in the packed file, {1} in the dense model.', ours, theirs);
}

export function progressText(l10n: Translation, { phase, samples, settings, rounds, of }: ExportProgress): string {
  switch (phase) {
    case 'loading':
      return l10n.t('loading the model…');
    case 'writing':
      return l10n.t('writing the file…');
    case 'verifying':
      return of === undefined
        ? l10n.t('evaluating the file: {0} samples', formatCount(samples ?? 0))
        : l10n.t('evaluating the file: {0} of {1} samples', formatCount(samples ?? 0), formatCount(of));
    case 'measuring':
      return l10n.t('round {0} of {1}', rounds ?? 0, of ?? '?');
    case 'scanning':
      return l10n.t('setting {0} of {1}', settings ?? 0, of ?? '?');
    case 'easing':
      return l10n.t('measuring the suggested settings together…');
  }
}

/** How far an export or a measurement is, 0 to 100; undefined where that cannot be said. */
export function progressPercent({ samples, settings, rounds, of }: ExportProgress): number | undefined {
  const done = samples ?? settings ?? rounds;
  return done !== undefined && of !== undefined && of > 0 ? (100 * done) / of : undefined;
}
