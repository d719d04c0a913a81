/** @file What `deeptwist export`, `benchmark` and `sensitivity` print on standard error for a program, with `--progress json`: one of these a line. */
import * as z from 'zod';

const count = z.int().min(0);

const exportProgressSchema = z.object({
  phase: z.enum(['loading', 'writing', 'verifying', 'measuring', 'scanning', 'easing']),
  samples: count.optional().describe('Samples that were evaluated, while a file is verified.'),
  settings: count.optional().describe('Settings that are measured, while the sensitivity of layers is.'),
  rounds: count.optional().describe('Rounds that are done, while files are measured.'),
  of: count.optional().describe('All of them, where that is known.'),
});

/** How far an export or a measurement has come. `easing`: suggested settings are measured together. */
export type ExportProgress = z.output<typeof exportProgressSchema>;

const commandErrorSchema = z.object({
  message: z.string(),
  remedy: z.string().optional(),
  option: z.string().optional().describe('Option of the command with which it does it all the same, without dashes.'),
});

/** Why a command failed. */
export type CommandError = z.output<typeof commandErrorSchema>;

const progressLineSchema = z.union([
  z.object({ progress: exportProgressSchema }),
  z.object({ error: commandErrorSchema }),
]);

type ProgressLine = z.output<typeof progressLineSchema>;

/** @returns undefined for a line of something else: the modules of a user print there, too */
export function parseProgressLine(line: string): ProgressLine | undefined {
  try {
    return progressLineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
