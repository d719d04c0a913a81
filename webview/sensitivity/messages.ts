/** @file What arrives from the extension for the page of a sensitivity report, checked before it is used. */
import { isRecord } from '../../server/protocol/record.ts';
import type { ToSensitivityPage } from '../../server/protocol/wire/sensitivity.ts';
import { checkMessage, has, isNumber, isText, listOf, optional, type ShapesOf } from '../messageShapes.ts';

const isMeasured = optional(isNumber);

const shapes: ShapesOf<ToSensitivityPage> = {
  report: {
    name: isText,
    report: has({
      run: optional(isText),
      experiment: isText,
      weightsAre: isText,
      split: isText,
      samples: isNumber,
      metric: isText,
      value: isNumber,
      bytes: isNumber,
      weights: listOf(has({ name: isText, key: isText, shape: listOf(isNumber), bytes: isNumber })),
      cells: listOf(
        has({
          weight: isText,
          method: isText,
          parameter: isText,
          setting: isNumber,
          value: isMeasured,
          drop: isMeasured,
          bytes: isNumber,
        }),
      ),
      suggestion: optional(
        has({
          maxDrop: isNumber,
          layers: listOf(has({ weight: isText, key: isText, parameter: isText, setting: isNumber, drop: isNumber })),
          sumOfDrops: isNumber,
          value: isNumber,
          drop: isNumber,
          bytes: isNumber,
          compression: (value) => value === undefined || Array.isArray(value) || isRecord(value),
        }),
      ),
    }),
  },
};

/** {@link checkMessage} for a message to this page. */
export function parseSensitivityMessage(data: unknown): ToSensitivityPage | undefined {
  return checkMessage<ToSensitivityPage>(data, shapes);
}
