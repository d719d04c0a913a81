/** @file What `run.json` and the files beside it say of a run and of the process that has it. */
import * as z from 'zod';
import { faults } from '../protocol/run/fault.ts';
import { lossRiseSchema } from '../protocol/run/riseOfLoss.ts';
import { RUN_FORMAT_VERSION } from '../protocol/run/runFormat.ts';

export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  startTime: z.string().optional().describe('As the system tells it; compared for equality only.'),
  host: z.string(),
  job: z
    .object({
      id: z.string().describe('What stays when the job is started again: of Slurm, cluster and number.'),
      name: z.string(),
      restart: z.int().min(0).describe('Greater at each start of the job: of Slurm, how often it was requeued.'),
    })
    .optional()
    .describe('Job of a cluster that the process belongs to.'),
});

export type ProcessIdentity = z.output<typeof processIdentitySchema>;

export const runRecordSchema = z.object({
  format: z.literal(RUN_FORMAT_VERSION),
  id: z.string().describe('Name of the run folder; openRun goes by the folder.'),
  name: z.string().describe('Name of the experiment: its file name without extension.'),
  experiment: z
    .string()
    .describe(
      'Absolute path of the experiment file when the run began; its relative paths start there. See experimentOf.ts.',
    ),
  relativeExperiment: z
    .string()
    .optional()
    .describe(
      'Path of the experiment file from the run folder, with `/`: a project that is moved takes its runs along.',
    ),
  overrides: z.array(z.string()).describe('`path=value` texts of --set.'),
  state: z.enum(['queued', 'running', 'finished', 'failed', 'stopped']),
  process: processIdentitySchema.optional().describe('The process that writes the run; absent when none does.'),
  result: z
    .object({
      metric: z.string(),
      test: z.number().nullable(),
      byteRatio: z.number().describe('By the bytes that the compressed model would take.'),
      fileRatio: z.number().optional().describe('By those of its file; absent where there is none.'),
      weightRatio: z.number(),
      validation: z.number().nullable().optional().describe('Absent where there is no validation split.'),
      loss: z.number().nullable().optional().describe('As in the summary of the log.'),
      bytes: z
        .number()
        .optional()
        .describe('As in the summary of the log; earlier versions did not write it, nor what follows.'),
      bytesKept: z.number().optional(),
      fileBytes: z.number().optional(),
      seconds: z.number().optional().describe('What the run took in all.'),
      lossRise: lossRiseSchema.optional().describe('As in the summary of the log; earlier versions did not write it.'),
    })
    .optional()
    .describe('What a list shows of a finished run without reading events. A metric that is not finite is null.'),
  failure: z
    .object({
      message: z.string(),
      remedy: z.string().optional(),
      fault: z.enum(faults).optional().describe('See fault.ts.'),
    })
    .optional()
    .describe('What made a failed run fail.'),
  changes: z
    .array(z.object({ step: z.int().min(0), values: z.array(z.string()) }))
    .optional()
    .describe(
      'Settings that were changed while the run trained: `path=value` texts, and the step after which they took or take ' +
        'effect. A run that is resumed takes them at the same steps.',
    ),
  teacher: z
    .string()
    .optional()
    .describe(
      'The run that `distillation.teacher` named when this one began, as a path from the folder of the experiment with `/`: a run that ' +
        'is resumed learns from the same one.',
    ),
  sweep: z.string().optional().describe('Id of the sweep that the run belongs to.'),
  queue: z
    .object({
      engine: z.literal('slurm'),
      job: z.string().optional().describe('As `squeue` names it, 123_7; absent before it has begun.'),
    })
    .optional()
    .describe('The job of a cluster that trains the run, or that the run waits for while it is queued.'),
  stoppedEarly: z
    .object({
      step: z.int().min(0).describe('Step of the evaluation.'),
      place: z.int().positive().describe('Place of its metric among those of the runs, from 1.'),
      of: z.int().positive(),
    })
    .optional()
    .describe('What successive halving has stopped the run by; gone when the run is gone on with.'),
  created: z.iso.datetime(),
  updated: z.iso.datetime(),
  cuts: z
    .array(z.int().min(0))
    .describe('Bytes at which events.jsonl was cut when the run was resumed, in order; see followEvents.'),
});

export type RunRecord = z.output<typeof runRecordSchema>;
