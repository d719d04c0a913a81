/** @file What is known of an exported model: measured on its file when it was written, and kept in the run folder. */
import * as z from 'zod';

const bytes = z.int().min(0);
const metricValue = z.number().nullable().describe('Null where it is not finite.');

export const exportedFileSchema = z.object({
  format: z.string(),
  path: z
    .string()
    .describe(
      'Path of the file or folder: absolute; in the run folder, relative to it where it lies beside the experiment.',
    ),
  time: z.number().describe('Milliseconds since the epoch.'),
  bytes: bytes.describe('Size on disk, of all files of a folder.'),
  denseBytes: bytes.describe('Size of all weights as floats.'),
  gzipBytes: bytes.describe('Size of the download with gzip, each file by itself.'),
  weights: z.array(z.object({ name: z.string(), form: z.string(), bytes })).readonly(),
  engine: z.string().describe("What ran the file: 'ONNX Runtime'."),
  step: z.int().min(0).optional().describe('Steps that the weights of a checkpoint were trained for.'),
  metric: z.string(),
  value: metricValue.describe('The metric of the file on the test split.'),
  runValue: metricValue.optional().describe('The metric when the run ended.'),
  largestDifference: z
    .number()
    .describe("Largest difference of an output of the file from the model's with its weights as floats."),
  allowedDifference: z.number().describe('What it may be.'),
});

export type ExportedFile = z.output<typeof exportedFileSchema>;

/** An exported file that a run folder tells of. */
export interface RecordedExport extends ExportedFile {
  /** False where it was deleted or moved since. */
  readonly isThere: boolean;
}
