/**
 * @file Settings that a user changes while a run trains: checked as those of a file are, kept in run.json, and in effect from
 * their step on. A run that is resumed takes them at the same steps, and so ends as if it had not been interrupted.
 */
import type { CompressionChange } from '../compression/compressor.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Experiment, ExperimentSettings } from '../protocol/experiment/schema.ts';
import type { EventOf, Untimed } from '../protocol/run/events.ts';
import { checkExperiment } from '../protocol/experiment/parseExperiment.ts';
import { CHANGEABLE_SETTINGS, whyFixed } from '../protocol/experiment/changeableSettings.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { overrideOf, settingChanges, type SettingChange } from '../protocol/experiment/settingChanges.ts';
import { samplesPerStep, timesInSteps } from '../protocol/experiment/times.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { valuesAfter } from '../runs/changedValues.ts';
import type { Run } from '../runs/run.ts';
import { checkSplits } from './checkSplits.ts';
import { compressionsWith } from './liveSettings.ts';
import { recordedLayers } from './observe.ts';
import type { Prepared } from './prepare.ts';

/** Settings that fit the run. */
interface Plan {
  readonly changes: readonly SettingChange[];
  readonly settings: ExperimentSettings;
  readonly experiment: Experiment;
  readonly compression: CompressionChange | undefined;
}

export class LiveChanges {
  readonly #run: Run;
  readonly #prepared: Prepared;
  readonly #text: string;
  /** All values that were asked for, in effect or not yet. */
  #values: readonly string[];
  #settings: ExperimentSettings;
  /** By the step after which they take effect, in its order. */
  readonly #waiting: { readonly step: number; readonly plan: Plan }[] = [];

  /**
   * @param text of the experiment file
   * @param done steps that were done: what was changed until then is in effect in `prepared`
   */
  constructor(run: Run, prepared: Prepared, text: string, done: number) {
    this.#run = run;
    this.#prepared = prepared;
    this.#text = text;
    this.#values = valuesAfter(run.record, done);
    this.#settings = checked(text, this.#values);
    for (const { step, values } of run.record.changes ?? []) if (step > done) this.#add(step, this.#plan(values));
  }

  /**
   * @param values `path=value` texts
   * @param done steps that are done
   * @returns the step after which they take effect: that of the next distortion
   * @throws UserError where a value is wrong or too late, or a run keeps the setting, and nothing has changed
   */
  async ask(values: readonly string[], done: number): Promise<number> {
    const plan = this.#plan(values);
    const step = this.#firstStep(plan, done);
    plan.compression?.checkInTime(step);
    const { changes = [] } = this.#run.record;
    await this.#run.update({ changes: [...changes, { step, values: plan.changes.map(overrideOf) }] });
    this.#add(step, plan);
    return step;
  }

  /** Puts into effect what waits for a step that has just been done. @returns what is to be recorded */
  applyAfter(step: number): Untimed<EventOf<'changed'>>[] {
    const events: Untimed<EventOf<'changed'>>[] = [];
    while (this.#waiting.length > 0 && this.#waiting[0].step <= step) {
      const { changes, experiment, compression } = this.#waiting.shift()!.plan;
      compression?.apply();
      this.#prepared.live.change(experiment);
      events.push({
        type: 'changed',
        step,
        settings: [...changes],
        config: experiment,
        layers: recordedLayers(this.#prepared),
      });
    }
    return events;
  }

  #plan(values: readonly string[]): Plan {
    const { compressor, compressions, dataset } = this.#prepared;
    const settings = checked(this.#text, [...this.#values, ...values]);
    const changes = settingChanges(this.#settings, settings);
    if (changes.length === 0) throw refusal('The run has these values already.', 'Give a value that differs.');
    const fixed = changes.flatMap(({ path }) => {
      const reason = whyFixed(path, this.#settings);
      return reason === undefined ? [] : [`${path}: ${reason}`];
    });
    if (fixed.length > 0)
      throw refusal(
        fixed.join('\n'),
        `Rerun the experiment with it. While a run trains, ${CHANGEABLE_SETTINGS} can change.`,
      );
    checkData(settings, dataset);
    const experiment = timesInSteps(settings, dataset.stepsPerEpoch(samplesPerStep(settings.training)));
    const compression = compressor?.prepareChange(compressionsWith(experiment, compressions));
    return { changes, settings, experiment, compression };
  }

  #firstStep({ experiment, compression }: Plan, done: number): number {
    const { steps } = experiment.training;
    let step = Math.max(done + 1, this.#waiting.at(-1)?.step ?? 0);
    while (step < steps && compression?.takesEffectAfter(step) === false) step++;
    return step;
  }

  #add(step: number, plan: Plan): void {
    this.#waiting.push({ step, plan });
    this.#settings = plan.settings;
    this.#values = [...this.#values, ...plan.changes.map(overrideOf)];
  }
}

function checked(text: string, values: readonly string[]): ExperimentSettings {
  const { experiment, problems } = checkExperiment(text, values);
  if (experiment) return experiment;
  const wrong = problems.map(({ path, message, override }) => `${path === '' ? override : path}: ${message}`);
  throw refusal(wrong.join('\n'), 'The run goes on as it was. Correct the value and change it again.');
}

/** @throws UserError for what would keep the run from being resumed */
function checkData(settings: ExperimentSettings, dataset: Dataset): void {
  try {
    checkSplits(settings, dataset);
  } catch (error) {
    throw error instanceof SettingError ? refusal(error.message, error.remedy ?? '') : error;
  }
}

function refusal(message: string, remedy: string): UserError {
  return new UserError(message, { remedy, exitCode: ExitCode.usage });
}
