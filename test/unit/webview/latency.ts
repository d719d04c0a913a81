/** @file What was measured of the speed of files, for tests of the page and of the editor. */
import type { Latency } from '../../../server/protocol/run/latency.ts';

export function latency(changes: Partial<Latency> = {}): Latency {
  const common = { dense: false, engine: 'ONNX Runtime', run: 'a' };
  return {
    time: 1_700_000_000_000,
    machine: 'A processor',
    node: '20.19.0',
    threads: 1,
    rounds: 20,
    sample: [[784]],
    models: [
      {
        ...common,
        ...{ format: 'onnx', dense: true, bytes: 1_070_000, weightBytes: 1_066_440, peakBytes: 96_400_000 },
        single: { samples: 1, median: 0.0207, p90: 0.0229 },
        batch: { samples: 32, median: 0.0892, p90: 0.0951 },
      },
      {
        ...common,
        ...{ format: 'packed', engine: 'deeptwist/runtime', bytes: 24_900, weightBytes: 26_600, peakBytes: 65_200_000 },
        single: { samples: 1, median: 0.00287, p90: 0.00371 },
        batch: { samples: 32, median: 0.0775, p90: 0.0828 },
      },
    ],
    leftOut: [],
    ...changes,
  };
}
