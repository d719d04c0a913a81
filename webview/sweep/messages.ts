/** @file What arrives from the extension for the page of a sweep, checked before it is used. */
import type { ToSweepPage } from '../../server/protocol/wire/sweep.ts';
import { checkMessage, has, isBoolean, isNumber, isText, listOf, optional, type ShapesOf } from '../messageShapes.ts';

const isRow = has({
  line: isNumber,
  id: isText,
  key: isText,
  vary: listOf(isText),
  seed: isNumber,
  state: isText,
  result: optional(
    has({
      metric: isText,
      test: optional(isNumber),
      validation: optional(isNumber),
      bytes: isNumber,
      bytesKept: isNumber,
      byteRatio: isNumber,
      fileBytes: optional(isNumber),
      loss: optional(isNumber),
      seconds: optional(isNumber),
    }),
  ),
  problem: optional(isText),
  note: optional(has({ pinned: isBoolean, text: isText })),
});

const isSearch = has({
  target: isText,
  result: optional(
    has({
      isMet: isBoolean,
      metric: isText,
      best: optional(
        has({
          run: isText,
          value: optional(isNumber),
          drop: optional(isNumber),
          bytes: optional(isNumber),
          ratio: optional(isNumber),
        }),
      ),
    }),
  ),
});

const shapes: ShapesOf<ToSweepPage> = {
  sweep: {
    sweep: has({
      id: isText,
      path: isText,
      experiment: isText,
      size: isNumber,
      rows: listOf(isRow),
      search: optional(isSearch),
    }),
    isTrusted: isBoolean,
  },
  progress: { runs: listOf(has({ run: isText, text: isText })) },
  problem: { message: isText, remedy: optional(isText) },
};

/** {@link checkMessage} for a message to this page. */
export function parseSweepMessage(data: unknown): ToSweepPage | undefined {
  return checkMessage<ToSweepPage>(data, shapes);
}
