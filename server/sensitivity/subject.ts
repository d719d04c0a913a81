/** @file The model whose sensitivity is measured: that of a run, or the one that an experiment starts from. */
import { dirname, join } from 'node:path';
import { hasEnding, modelEndings } from '../protocol/model/modelEndings.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { Run } from '../runs/run.ts';
import { withCheckpoint, withExperiment, withFinalModel } from '../training/index.ts';
import type { Prepared } from '../training/prepare.ts';
import type { SensitivityReport } from '../protocol/run/sensitivityReport.ts';

/** The source of the weights. */
export type Origin =
  | {
      readonly run: Run;
      /** True for the weights of the newest checkpoint in the place of the final ones. */
      readonly checkpoint: boolean;
      readonly changedFiles?: boolean | undefined;
    }
  /** Absolute path of an experiment; `path=value` texts of settings that it is to have, and a text in the place of what it says now. */
  | { readonly experiment: string; readonly overrides?: readonly string[]; readonly text?: string };

/** A model with its weights. */
export interface Subject extends Pick<SensitivityReport, 'run' | 'experiment' | 'weightsAre' | 'step' | 'warnings'> {
  readonly prepared: Prepared;
  /** Folder of what is kept of its measurements. */
  readonly folder: string;
}

/**
 * Prepares a model and disposes of it after `use`.
 * @throws UserError where there are no weights that were trained; the signal's reason when it aborts
 */
export async function withSubject<R>(
  origin: Origin,
  signal: AbortSignal,
  use: (subject: Subject) => Promise<R>,
): Promise<R> {
  if ('experiment' in origin) {
    const { experiment, overrides, text } = origin;
    const folder = join(dirname(experiment), '.deeptwist', 'sensitivity');
    const work = (prepared: Prepared) =>
      use({ prepared, folder, experiment, weightsAre: 'start', warnings: startWarnings(prepared, experiment) });
    return withExperiment(experiment, work, { pretrained: true, overrides, text, signal });
  }
  const { run, checkpoint, changedFiles } = origin;
  const ofRun = { run: run.id, experiment: run.record.experiment, folder: join(run.path, 'sensitivity') };
  if (checkpoint)
    return withCheckpoint({ run, changedFiles, signal }, 'sensitivity', (prepared, { step, warnings }) =>
      use({
        prepared,
        ...ofRun,
        weightsAre: 'checkpoint',
        step,
        warnings: [...warnings, ...compressedWarnings(prepared)],
      }),
    );
  return withFinalModel({ run, changedFiles, signal }, 'sensitivity', (prepared) =>
    use({ prepared, ...ofRun, weightsAre: 'final', warnings: compressedWarnings(prepared) }),
  );
}

function compressedWarnings({ compressor }: Prepared): string[] {
  return compressor
    ? [
        'The weights of this run are compressed: what is measured is what compressing them further costs. For a first compression, take a run ' +
          'without one.',
      ]
    : [];
}

/** @throws UserError for a model whose weights are random */
function startWarnings({ live, pretrained }: Prepared, file: string): string[] {
  const { model } = live.experiment;
  const path = typeof model === 'string' ? model : 'onnx' in model ? model.onnx : undefined;
  if (pretrained || (path !== undefined && hasEnding(path, modelEndings))) return [];
  const remedy = 'Train it (`deeptwist run`) and name the run, or name trained weights as "start".';
  const isBuiltin = typeof model === 'string' ? model.startsWith('builtin:') : 'builtin' in model;
  if (isBuiltin)
    throw new UserError(`${file} begins with random weights, which say nothing of what compression costs.`, {
      remedy,
      exitCode: ExitCode.usage,
    });
  return [`The weights are those that the model's module makes. Where they are random, figures say nothing. ${remedy}`];
}
