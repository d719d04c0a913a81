/** @file What arrives from the extension, checked before it is used. */
import { isRecord } from '../server/protocol/record.ts';
import type { ToDashboard } from '../server/protocol/wire/dashboard.ts';
import { isSentColumns } from '../server/protocol/wire/sentColumns.ts';
import {
  checkMessage,
  has,
  isBoolean,
  isNumber,
  isText,
  listOf,
  optional,
  recordOf,
  type ShapesOf,
} from './messageShapes.ts';

const isEvent = has({ type: isText, step: isNumber, time: isNumber });

const isRun = has({
  key: isText,
  id: isText,
  name: isText,
  experiment: isText,
  overrides: listOf(isText),
  state: isText,
  created: isNumber,
  result: optional(
    has({
      metric: isText,
      test: optional(isNumber),
      validation: optional(isNumber),
      byteRatio: isNumber,
      fileRatio: optional(isNumber),
    }),
  ),
  failure: optional(has({ message: isText, remedy: optional(isText) })),
  label: optional(has({ name: optional(isText), note: optional(isText) })),
  differs: optional(isText),
});

const isSnapshot = has({
  started: optional(isEvent),
  metrics: isSentColumns,
  losses: optional(isSentColumns),
  shares: optional(isSentColumns),
  evaluations: listOf(isEvent),
  distortions: isSentColumns,
  weights: recordOf(
    listOf(
      has({
        step: isNumber,
        setting: isRecord,
        before: (value) => value instanceof Uint32Array,
        after: (value) => value instanceof Uint32Array,
      }),
    ),
  ),
  spectra: recordOf(listOf(has({ step: isNumber, singularValues: (value) => value instanceof Float32Array }))),
  thinning: isRecord,
  checkpoints: listOf(isEvent),
  warnings: listOf(isEvent),
  changes: listOf(isEvent),
  thinnings: listOf(isEvent),
  end: optional(isEvent),
});

const isExport = has({
  format: isText,
  path: isText,
  time: isNumber,
  bytes: isNumber,
  denseBytes: isNumber,
  gzipBytes: isNumber,
  weights: listOf(has({ name: isText, form: isText, bytes: isNumber })),
  engine: isText,
  metric: isText,
  value: optional(isNumber),
  runValue: optional(isNumber),
  largestDifference: isNumber,
  allowedDifference: isNumber,
  isThere: isBoolean,
});

const isTiming = has({ samples: isNumber, median: isNumber, p90: isNumber });

const isLatency = has({
  time: isNumber,
  machine: isText,
  node: isText,
  threads: isNumber,
  rounds: isNumber,
  sample: listOf(listOf(isNumber)),
  models: listOf(
    has({
      format: isText,
      dense: isBoolean,
      file: optional(isText),
      engine: isText,
      bytes: isNumber,
      weightBytes: optional(isNumber),
      peakBytes: isNumber,
      single: optional(isTiming),
      batch: optional(isTiming),
    }),
  ),
  leftOut: listOf(has({ format: isText, dense: isBoolean, reason: isText })),
});

const shapes: ShapesOf<ToDashboard> = {
  runs: { runs: listOf(isRun), shown: listOf(isText), withoutExperiment: optional(isBoolean) },
  openTab: { tab: isText, weight: optional(isText) },
  loading: { run: isText, fraction: isNumber },
  snapshot: { run: isText, snapshot: isSnapshot },
  events: { run: isText, events: listOf(isEvent) },
  exports: { run: isText, files: listOf(isExport), latency: optional(isLatency) },
  live: { run: isText, live: optional(has({ phase: isText, step: isNumber, steps: isNumber })) },
  problem: { run: optional(isText), message: isText, remedy: optional(isText) },
  elsewhere: { elsewhere: isBoolean },
  restricted: { reason: optional(isText) },
};

/** {@link checkMessage} for a message to the dashboard. */
export function parseMessage(data: unknown): ToDashboard | undefined {
  return checkMessage<ToDashboard>(data, shapes);
}
