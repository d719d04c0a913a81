/** @file `deeptwist sensitivity` in a process of its own. */
import * as z from 'zod';
import type { SensitivityReport } from '../../server/protocol/run/sensitivityReport.ts';
import { runReporting, type ReportingProcess } from '../../server/commandClient/runReporting.ts';

const measured = z.number().nullable();
const method = z.string() as unknown as z.ZodType<SensitivityReport['cells'][number]['method']>;
const settings = z.record(z.string(), z.unknown());
const chosen = { weight: z.string(), method, parameter: z.string(), setting: z.number(), bytes: z.number() };

/** What of a report the editor uses. A module of the user's may print where the report is printed. */
const reportSchema: z.ZodType<SensitivityReport> = z.object({
  run: z.string().optional(),
  experiment: z.string(),
  weightsAre: z.enum(['final', 'checkpoint', 'start']),
  step: z.number().optional(),
  split: z.enum(['validation', 'train', 'test']),
  samples: z.number(),
  metric: z.string(),
  value: z.number(),
  loss: z.number(),
  bytes: z.number(),
  weights: z.array(
    z.object({
      name: z.string(),
      key: z.string(),
      shape: z.array(z.number()),
      weights: z.number(),
      bytes: z.number(),
    }),
  ),
  cells: z.array(z.object({ ...chosen, value: measured, loss: measured, drop: measured, error: z.number() })),
  suggestion: z
    .object({
      maxDrop: z.number(),
      layers: z.array(z.object({ ...chosen, key: z.string(), drop: z.number() })),
      sumOfDrops: z.number(),
      drops: z.array(measured),
      value: z.number(),
      drop: z.number(),
      bytes: z.number(),
      compression: z.union([settings, z.array(settings)]).optional(),
    })
    .optional(),
  evaluations: z.number(),
  warnings: z.array(z.string()),
});

export interface SensitivityRequest {
  /** The run folder, or the experiment file. */
  readonly path: string;
  /** The folder in which the command runs. */
  readonly directory: string;
  /** Undefined: nothing is suggested. */
  readonly maxDrop: number | undefined;
  /** Options of the command that are on, without dashes. */
  readonly options: readonly string[];
}

/**
 * Measures what compressing each layer alone costs.
 * @returns undefined where the signal aborted; what was measured is kept for another time
 * @throws UserError as {@link runReporting}
 */
export async function runSensitivity(
  { path, directory, maxDrop, options }: SensitivityRequest,
  process: ReportingProcess,
): Promise<SensitivityReport | undefined> {
  const args = [
    ...['sensitivity', path],
    ...(maxDrop === undefined ? [] : ['--max-drop', String(maxDrop)]),
    ...options.map((option) => `--${option}`),
  ];
  const report = await runReporting(args, directory, process);
  return report === undefined ? undefined : reportSchema.parse(report);
}
