/** @file The summary of a finished run as run.json has it. */
import { finiteOrNull } from '../protocol/finiteOrNull.ts';
import { compressedSize } from '../protocol/run/compressedSize.ts';
import type { Summary } from '../protocol/run/events.ts';
import { secondsOf } from '../protocol/run/runSeconds.ts';

export function resultOf(summary: Summary) {
  const { metric, test, validation, loss, byteRatio, weightRatio, bytes, bytesKept, fileBytes, lossRise } = summary;
  const { ratio, isFile } = compressedSize(summary);
  return {
    metric,
    test: finiteOrNull(test),
    byteRatio,
    fileRatio: isFile ? ratio : undefined,
    weightRatio,
    validation: validation === undefined ? undefined : finiteOrNull(validation),
    ...(loss !== undefined && { loss: finiteOrNull(loss) }),
    bytes,
    bytesKept,
    fileBytes,
    seconds: secondsOf(summary),
    ...(lossRise && { lossRise }),
  };
}
