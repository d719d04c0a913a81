/** @file How fast exported files are: measured by `deeptwist benchmark`, and kept in the run folder. */
import * as z from 'zod';

const count = z.int().min(0);

const timingSchema = z
  .object({
    samples: z.int().min(1).describe('Samples that went through the model together.'),
    median: z.number().min(0),
    p90: z.number().min(0).describe('90th percentile: 9 in 10 calls were as fast or faster.'),
  })
  .describe('Milliseconds of a call.');

const modelSchema = z.object({
  format: z.string(),
  dense: z.boolean().describe('True for the model of a run with every weight as floats, written to be compared with.'),
  file: z.string().optional().describe('Name of the file; absent where it was written for the measurement alone.'),
  run: z.string().optional().describe('Id of the run that the model is of.'),
  sample: z.array(z.array(count)).optional().describe('Shape of each input of one sample.'),
  engine: z.string().describe("What ran the file: 'ONNX Runtime'."),
  bytes: count.describe('Size of the file.'),
  weightBytes: count.optional().describe('Weights as they are held in memory; absent where that is not known.'),
  peakBytes: count.describe(
    'Most memory that a process has had which runs this file and nothing else, Node.js included.',
  ),
  single: timingSchema.optional().describe('Time of one input; absent where the file fixes a larger batch.'),
  batch: timingSchema.optional().describe('Time of a batch; absent where the file takes single inputs.'),
});

export const latencySchema = z.object({
  time: z.number().describe('Milliseconds since the epoch.'),
  machine: z.string().describe('The processor.'),
  node: z.string().describe('Version of Node.js.'),
  threads: z.int().min(1).describe('Threads of ONNX Runtime; the runtime of packed files has one.'),
  rounds: z.int().min(1),
  sample: z.array(z.array(count)).describe('The same of the first model.'),
  models: z.array(modelSchema),
  leftOut: z
    .array(z.object({ format: z.string(), dense: z.boolean(), run: z.string().optional(), reason: z.string() }))
    .describe('Models of a run that could not be measured.'),
});

export type Latency = z.output<typeof latencySchema>;
export type MeasuredModel = Latency['models'][number];
export type Timing = z.output<typeof timingSchema>;
