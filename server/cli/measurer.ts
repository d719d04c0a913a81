/** @file What the CLI asks of `server/latency/`, which it loads when a command measures. */
import type * as latency from '../latency/index.ts';

export type Measurer = Pick<typeof latency, 'measureLatency'>;
export type { LatencyReport } from '../latency/index.ts';
