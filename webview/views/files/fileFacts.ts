/** @file What is said of an exported file. Pure. */
import * as l10n from '@vscode/l10n';
import { formatBytes, formatNumber, formatRatio } from '../../../server/protocol/formatQuantity.ts';
import { exportFormats, isExportFormat } from '../../../server/protocol/model/exportFormats.ts';
import type { RecordedExport } from '../../../server/protocol/run/exportedFile.ts';
import { formatMetric } from '../../../server/protocol/run/resultText.ts';

interface FileFact {
  readonly name: string;
  readonly value: string;
  /** What the value is compared with. */
  readonly note?: string;
}

/** `ONNX`; the word of the record for a format that this version does not know. */
export function formatLabel(format: string): string {
  return isExportFormat(format) ? l10n.t(exportFormats[format].label) : format;
}

/** The most important first. */
export function fileFacts(file: RecordedExport): FileFact[] {
  const { bytes, denseBytes, gzipBytes, metric, engine, runValue, largestDifference, allowedDifference } = file;
  const dense = formatBytes(denseBytes);
  return [
    {
      name: l10n.t('Size'),
      value: formatBytes(bytes),
      note:
        bytes < denseBytes
          ? l10n.t('{0} smaller than {1} of floats', formatRatio(denseBytes / bytes), dense)
          : l10n.t('not smaller than {0} of floats', dense),
    },
    { name: l10n.t('With gzip'), value: formatBytes(gzipBytes) },
    {
      name: metric[0].toUpperCase() + metric.slice(1),
      value: formatMetric(metric, file.value ?? NaN),
      note:
        runValue === undefined
          ? l10n.t('of the file, in {0}', engine)
          : l10n.t('of the file, in {0}; {1} when the run ended', engine, formatMetric(metric, runValue ?? NaN)),
    },
    {
      name: l10n.t('Largest difference'),
      value: formatNumber(largestDifference),
      note: l10n.t("of an output from the run's; {0} is allowed", formatNumber(allowedDifference)),
    },
  ];
}
