/** @file Evaluations of a model with some of its weights compressed, and what is known of earlier ones. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { Compressor } from '../compression/compressor.ts';
import { weightsOf } from '../compression/methods/unit.ts';
import { planCompression } from '../compression/plan.ts';
import type { Split } from '../data/dataset.ts';
import { sha256Of } from '../formats/sha256.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import { finiteOrNull } from '../protocol/finiteOrNull.ts';
import { writeAtomically } from '../runs/disk.ts';
import { readRegularFile } from '../runs/workspaceFile.ts';
import { evaluateSplit } from '../training/evaluateSplit.ts';
import type { Prepared } from '../training/prepare.ts';

/** A run of one step, which ends with the last distortion: the one that leaves what a file holds. */
const ONLY_STEP = 1;

const measurementSchema = z.object({
  value: z.number().nullable().describe('The metric; null where it is not finite.'),
  loss: z.number().nullable(),
  bytes: z.record(z.string(), z.number()).describe('Bytes of each weight that is compressed, by name.'),
  errors: z
    .record(z.string(), z.number())
    .describe(
      'What was taken from each of them: ||W - compressed W||^2 / ||W||^2 in the Frobenius norm, by name; 0 for a weight of zeros.',
    ),
  notFinite: z.string().optional().describe('The first value of the samples that is not finite.'),
});

export type Measurement = z.output<typeof measurementSchema>;

/** To be raised when the same compression leaves other weights than before, or a metric is computed in another way. */
const VERSION = 2;

const fileSchema = z.object({
  version: z.literal(VERSION),
  measured: z.record(z.string(), measurementSchema),
});

/** Milliseconds after which new measurements are kept, so that little is lost with the process. */
const KEEP_AFTER = 60_000;

/** Model and samples of the measurements. */
export interface Measured {
  readonly prepared: Prepared;
  readonly split: Split;
  readonly signal: AbortSignal;
}

export class Measurements {
  /** Evaluations that were done. */
  evaluations = 0;
  readonly #subject: Measured;
  /** Copies of all weights as they are without compression. */
  readonly #originals: ReadonlyMap<string, Float32Array>;
  /** By the compressions as JSON. */
  readonly #known: Map<string, Measurement>;
  readonly #file: string;
  /** Evaluations that were done when measurements were kept last, and when that was. */
  readonly #kept = { evaluations: 0, time: Date.now() };

  private constructor(subject: Measured, file: string, known: Map<string, Measurement>) {
    this.#subject = subject;
    this.#file = file;
    this.#known = known;
    this.#originals = new Map(subject.prepared.weights.map(({ name, values }) => [name, values.slice()]));
  }

  /** @param file of earlier measurements of the same model on the same samples; one that is missing or damaged has none */
  static async open(subject: Measured, file: string): Promise<Measurements> {
    const known = await readRegularFile(file)
      .then((text) => fileSchema.parse(JSON.parse(text)).measured)
      .catch(() => ({}));
    return new Measurements(subject, file, new Map(Object.entries(known)));
  }

  /** Keeps what was measured, for another call. @throws UserError when it cannot be written */
  async keep(): Promise<void> {
    if (this.evaluations === this.#kept.evaluations) return;
    const { evaluations } = this;
    this.#kept.time = Date.now();
    await mkdir(dirname(this.#file), { recursive: true });
    const content: z.input<typeof fileSchema> = { version: VERSION, measured: Object.fromEntries(this.#known) };
    await writeAtomically(this.#file, `${JSON.stringify(content)}\n`);
    this.#kept.evaluations = evaluations;
  }

  /**
   * Compresses weights as the last distortion of a run does, evaluates the model, and puts the weights back.
   * @param compressions none for the model as it is
   * @throws SettingError for settings that do not fit the weights; the signal's reason when it aborts
   */
  async of(compressions: readonly Compression[]): Promise<Measurement> {
    const key = JSON.stringify(compressions);
    const known = this.#known.get(key);
    if (known) return known;
    const { prepared, split, signal } = this.#subject;
    const { weights, executor, program, dataset, live } = prepared;
    signal.throwIfAborted();
    // What cannot be written is told at the end.
    if (Date.now() - this.#kept.time > KEEP_AFTER) await this.keep().catch(() => undefined);
    const plan = planCompression(
      compressions.map((settings, i) => ({ path: ['compression', i], settings })),
      weights,
      { steps: ONLY_STEP, seed: live.experiment.training.seed },
    );
    const changed = new Set(
      plan.stages.flatMap(({ units }) => units.flatMap((unit) => weightsOf(unit).map(({ name }) => name))),
    );
    try {
      const compressor = new Compressor(plan, weights);
      await compressor.distort(ONLY_STEP);
      const sizes = compressor.sizes(weights).filter(({ name }) => changed.has(name));
      const { value, loss, notFinite } = await evaluateSplit(executor, program, dataset, split);
      const measurement: Measurement = {
        value: finiteOrNull(value),
        loss: finiteOrNull(loss),
        bytes: Object.fromEntries(sizes.map(({ name, bytesKept }) => [name, bytesKept])),
        errors: Object.fromEntries(
          weights.flatMap(({ name, values }) => {
            const original = changed.has(name) ? this.#originals.get(name) : undefined;
            return original ? [[name, relativeSquaredError(values, original)]] : [];
          }),
        ),
        ...(notFinite !== undefined && { notFinite }),
      };
      this.evaluations++;
      this.#known.set(key, measurement);
      return measurement;
    } finally {
      for (const { name, values } of weights) {
        const original = changed.has(name) ? this.#originals.get(name) : undefined;
        if (original) values.set(original);
      }
    }
  }
}

function relativeSquaredError(values: Float32Array, original: Float32Array): number {
  let [error, whole] = [0, 0];
  for (const [i, value] of original.entries()) {
    error += (values[i] - value) ** 2;
    whole += value ** 2;
  }
  return whole === 0 ? 0 : error / whole;
}

/**
 * SHA-256 of all that a measurement depends on besides its compressions: weights, samples, the user's modules, and the settings that make the
 * model and its metric.
 * @param samples their hash
 */
export async function identityOf(
  { parameters, live, sources, topology, program }: Prepared,
  samples: string,
): Promise<string> {
  const { model, training } = live.experiment;
  const hash = createHash('sha256');
  const { seed, loss, lossReduction } = training;
  const settings = { model, seed, loss, lossReduction, metric: program.metric, topology };
  hash.update(JSON.stringify([VERSION, samples, settings]));
  for (const { path, content } of sources) hash.update(content ?? (await sha256Of(path)));
  for (const { name, shape, value } of parameters.list) {
    hash.update(JSON.stringify([name, shape]));
    hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  return hash.digest('hex');
}
