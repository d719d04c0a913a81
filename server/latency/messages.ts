/** @file What is said between the command and the process of a contender. */
import * as z from 'zod';

/** The formats that are measured. */
export const measuredFormats = ['onnx', 'packed'] as const;
export type MeasuredFormat = (typeof measuredFormats)[number];

/** The last argument of the process, as JSON. */
export const contenderSchema = z.object({
  format: z.enum(measuredFormats),
  /** Path of the file. */
  path: z.string(),
  /** Threads of ONNX Runtime; the runtime of packed files has one. */
  threads: z.int().min(1),
  /** Shape of each input of a sample, for sizes that the file leaves open. */
  shapes: z.array(z.array(z.int().min(0))).optional(),
});
export type ContenderSettings = z.output<typeof contenderSchema>;

/** Runs so many samples together, again and again. */
export const askSchema = z.object({
  samples: z.int().min(1),
  /** After which no call begins. */
  milliseconds: z.number(),
});
export type Ask = z.output<typeof askSchema>;

const readySchema = z.object({
  type: z.literal('ready'),
  /** Samples of each batch, where the file fixes it. */
  batchSize: z.int().min(1).optional(),
  /** Shape of each input of a sample. */
  sample: z.array(z.array(z.int().min(0))),
  /** Bytes of the weights as they are held; undefined where the engine does not say. */
  weightBytes: z.int().min(0).optional(),
});
export type Ready = z.output<typeof readySchema>;

export const answerSchema = z.discriminatedUnion('type', [
  readySchema,
  z.object({
    type: z.literal('measured'),
    /** Milliseconds of each call. */
    times: z.array(z.number()),
    peakBytes: z.int(),
  }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);
export type Answer = z.output<typeof answerSchema>;
