/**
 * @file The messages of TensorBoard's event files: Event, Summary and what they have in them. Field numbers are those of
 * tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto and tensorboard/plugins/hparams/plugin.proto.
 */
import { Message } from '../protobufWriter.ts';

/** Counts of numbers on adjoining bins. */
export interface BinnedCounts {
  /** Edges of the bins, ascending: one more than counts. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** A setting as the HParams tab compares it. */
export type HyperParameter = string | number | boolean;

export type SummaryValue =
  | { readonly tag: string; readonly scalar: number }
  | { readonly tag: string; readonly histogram: BinnedCounts }
  /** Markdown. */
  | { readonly tag: string; readonly text: string }
  | {
      readonly tag: string;
      readonly hyperParameters: ReadonlyMap<string, HyperParameter>;
      readonly startSeconds: number;
    }
  | { readonly tag: string; readonly endSeconds: number };

export interface EventTime {
  /** Seconds since the epoch. */
  readonly wallTime: number;
  readonly step: number;
}

/** A value of SessionEndInfo: the run came to its end. */
const SUCCESS = 1;

/** Names under which the HParams tab finds when a run begins and ends. */
export const SESSION_START_TAG = '_hparams_/session_start_info';
export const SESSION_END_TAG = '_hparams_/session_end_info';

/** The first event of a file, which says how the others are written. */
export function versionEvent(wallTime: number): Uint8Array {
  return new Message().double(1, wallTime).text(3, 'brain.Event:2').bytes;
}

/** Tells that training goes on from before `step`: a reader drops what it has of that step and later ones. */
export function restartEvent({ wallTime, step }: EventTime): Uint8Array {
  const START = 1;
  return timed({ wallTime, step }).message(7, new Message().integer(1, START)).bytes;
}

export function summaryEvent(time: EventTime, values: readonly SummaryValue[]): Uint8Array {
  const summary = new Message();
  for (const value of values) summary.message(1, valueMessage(value));
  return timed(time).message(5, summary).bytes;
}

function timed({ wallTime, step }: EventTime): Message {
  return new Message().double(1, wallTime).integer(2, step);
}

function valueMessage(value: SummaryValue): Message {
  const message = new Message().text(1, value.tag);
  if ('scalar' in value) return message.float(2, value.scalar);
  if ('histogram' in value) return message.message(5, histogramMessage(value.histogram));
  if ('text' in value) return message.message(8, textTensor(value.text)).message(9, metadata('text'));
  const content =
    'endSeconds' in value
      ? new Message().message(4, new Message().integer(1, SUCCESS).double(2, value.endSeconds))
      : new Message().message(3, sessionStart(value));
  return message.message(8, emptyTensor()).message(9, metadata('hparams', content));
}

/** HistogramProto. The sums are those of the middles of the bins: the numbers themselves are not known. */
function histogramMessage({ edges, counts }: BinnedCounts): Message {
  let [all, sum, squares] = [0, 0, 0];
  counts.forEach((count, i) => {
    const middle = (edges[i] + edges[i + 1]) / 2;
    all += count;
    sum += count * middle;
    squares += count * middle ** 2;
  });
  const ends = new Message().double(1, edges[0]).double(2, edges[edges.length - 1]);
  return ends.double(3, all).double(4, sum).double(5, squares).doubles(6, edges.slice(1)).doubles(7, counts);
}

/** TensorProto of one text. */
function textTensor(text: string): Message {
  const STRING = 7;
  const shape = new Message().message(2, new Message().integer(1, 1));
  return new Message().integer(1, STRING).message(2, shape).text(8, text);
}

/** TensorProto without an element: newer versions of TensorBoard read no value that has neither a tensor nor a number. */
function emptyTensor(): Message {
  const FLOAT = 1;
  return new Message().integer(1, FLOAT).message(2, new Message().message(2, new Message()));
}

/** SummaryMetadata */
function metadata(plugin: string, content?: Message): Message {
  const data = new Message().text(1, plugin);
  return new Message().message(1, content ? data.message(2, content) : data);
}

/** SessionStartInfo */
function sessionStart({
  hyperParameters,
  startSeconds,
}: {
  readonly hyperParameters: ReadonlyMap<string, HyperParameter>;
  readonly startSeconds: number;
}): Message {
  const message = new Message();
  for (const [name, value] of hyperParameters)
    message.message(1, new Message().text(1, name).message(2, protobufValue(value)));
  return message.double(5, startSeconds);
}

/** google.protobuf.Value */
function protobufValue(value: HyperParameter): Message {
  if (typeof value === 'number') return new Message().double(2, value);
  return typeof value === 'boolean' ? new Message().integer(4, value ? 1 : 0) : new Message().text(3, value);
}
