/**
 * @file A run as an event file of TensorBoard. The file is a function of the log: what a process did not come to write, the next one
 * writes; of a record that was cut short, the whole is written again. Where the run went back to a checkpoint, an event
 * tells TensorBoard from which step on it drops what it has.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import {
  restartEvent,
  SESSION_END_TAG,
  SESSION_START_TAG,
  summaryEvent,
  versionEvent,
  type BinnedCounts,
  type HyperParameter,
  type SummaryValue,
} from '../formats/tensorboard/eventMessage.ts';
import { encodeRecord } from '../formats/tensorboard/recordFile.ts';
import { flattenSettings } from '../protocol/experiment/flattenSettings.ts';
import { describeChange } from '../protocol/experiment/settingChanges.ts';
import type { EventOf, RunEvent, WeightHistogram } from '../protocol/run/events.ts';
import { explainDiskError } from '../runs/disk.ts';
import type { LogPart, LogPlace } from '../runs/log/readEvents.ts';
import type { Run } from '../runs/run.ts';
import type { EventSink } from './followRun.ts';
import { placeSchema, Position } from './position.ts';
import { compressedWeightsSchema, scalarsOf, type CompressedWeights } from './scalars.ts';

const positionSchema = z.object({
  place: placeSchema,
  bytes: z.int().min(0).describe('Of the event file; what is behind them was cut short.'),
  begun: z.boolean().describe('True where the settings were written.'),
  compressed: compressedWeightsSchema,
});

type TensorBoardPosition = z.output<typeof positionSchema>;

/** How TensorBoard knows an event file. */
function eventFileName(run: Run): string {
  return `events.out.tfevents.${Math.floor(Date.parse(run.record.created) / 1000)}.deeptwist`;
}

/** Folder of a run's event file where the user has named none. */
export function ownTensorBoardFolder(run: Run): string {
  return join(run.path, 'tensorboard');
}

export class TensorBoardLog implements EventSink {
  readonly #run: Run;
  readonly #folder: string;
  readonly #file: FileHandle;
  readonly #position: Position<TensorBoardPosition>;
  #at: TensorBoardPosition | undefined;

  private constructor(
    run: Run,
    folder: string,
    file: FileHandle,
    position: Position<TensorBoardPosition>,
    at: TensorBoardPosition | undefined,
  ) {
    this.#run = run;
    this.#folder = folder;
    this.#file = file;
    this.#position = position;
    this.#at = at;
  }

  /**
   * @param folder which is made where it is not there; TensorBoard shows it as one run
   * @throws UserError where it cannot be written
   */
  static async open(run: Run, folder: string): Promise<TensorBoardLog> {
    const position = await Position.open(join(folder, 'deeptwist.json'), positionSchema, `the event file in ${folder}`);
    try {
      const file = await open(join(folder, eventFileName(run)), 'a+');
      const known = await position.read();
      const { size } = await file.stat();
      const at = known && known.bytes <= size ? known : undefined;
      await file.truncate(at?.bytes ?? 0);
      return new TensorBoardLog(run, folder, file, position, at);
    } catch (error) {
      await position.close();
      throw explainDiskError(error, folder, 0);
    }
  }

  get place(): LogPlace | undefined {
    return this.#at?.place;
  }

  async take({ events, place }: LogPart): Promise<void> {
    const compressed: CompressedWeights = { ...this.#at?.compressed };
    const records: Uint8Array[] = [];
    let { begun, bytes } = this.#at ?? { begun: false, bytes: 0 };
    if (bytes === 0) records.push(versionEvent(Date.parse(this.#run.record.created) / 1000));
    for (const event of events) {
      const wallTime = event.time / 1000;
      if (event.type === 'started' && begun) records.push(restartEvent({ wallTime, step: event.step + 1 }));
      const values = valuesOf(event, compressed, begun ? undefined : await this.#run.experimentText());
      begun ||= event.type === 'started';
      if (values.length > 0) records.push(summaryEvent({ wallTime, step: event.step }, values));
    }
    const written = Buffer.concat(records.map(encodeRecord));
    try {
      await this.#file.appendFile(written);
    } catch (error) {
      throw explainDiskError(error, this.#folder, written.length);
    }
    bytes += written.length;
    this.#at = { place, bytes, begun, compressed };
    await this.#position.write(this.#at);
  }

  async close(): Promise<void> {
    await this.#file.close().finally(() => this.#position.close());
  }
}

/** @param experiment text of the experiment file, where it has not been written */
function valuesOf(event: RunEvent, compressed: CompressedWeights, experiment: string | undefined): SummaryValue[] {
  const scalars = scalarsOf(event, compressed).map(({ name, value }) => ({ tag: name, scalar: value }));
  switch (event.type) {
    case 'started':
      return startValues(event, experiment);
    case 'distortion':
      return [...scalars, ...histograms('weights', event.weights)];
    case 'observation':
      return [...scalars, ...histograms(event.scheduled ? 'weights' : 'observed', event.weights)];
    case 'changed':
      return [
        { tag: 'changed settings', text: event.settings.map((change) => `- ${describeChange(change)}`).join('\n') },
      ];
    case 'warning':
      return [{ tag: 'warnings', text: event.message }];
    case 'failed':
      return [{ tag: 'failures', text: [event.message, event.remedy ?? ''].join('\n\n') }];
    case 'finished':
      return [...scalars, { tag: SESSION_END_TAG, endSeconds: event.time / 1000 }];
    default:
      return scalars;
  }
}

function startValues(
  { config, time, device, executor }: EventOf<'started'>,
  experiment: string | undefined,
): SummaryValue[] {
  const settings = flattenSettings(config);
  const rows = [...settings].map(([name, value]) => `| \`${name}\` | \`${value.replaceAll('|', '\\|')}\` |`);
  const text = ['| setting | value |', '| --- | --- |', ...rows, '', `Trained by ${executor} (${device}).`].join('\n');
  const hyperParameters = new Map([...settings].map(([name, value]) => [name, hyperParameter(value)]));
  return [
    { tag: 'settings', text },
    ...(experiment === undefined
      ? []
      : [
          // An indented block is code whatever stands in it.
          { tag: 'experiment', text: experiment.replaceAll(/^/gm, '    ') },
          { tag: SESSION_START_TAG, hyperParameters, startSeconds: time / 1000 },
        ]),
  ];
}

/** Numbers and truth values as such: the HParams tab has ranges and boxes for them. */
function hyperParameter(value: string): HyperParameter {
  if (value === 'true' || value === 'false') return value === 'true';
  return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}

function histograms(group: string, weights: EventOf<'distortion'>['weights']): SummaryValue[] {
  return weights.flatMap(({ name, histogram }) =>
    (['before', 'after'] as const).map((moment) => ({
      tag: `${group}/${name}/${moment}`,
      histogram: binsOf(histogram, histogram[moment]),
    })),
  );
}

function binsOf({ minimum, maximum }: WeightHistogram, counts: readonly number[]): BinnedCounts {
  const edges = counts.map((_, i) => minimum + ((maximum - minimum) * i) / counts.length);
  return { edges: [...edges, maximum], counts };
}
