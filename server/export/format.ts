/** @file What a format of exported models is: how a model is written in it, and how a written one is opened. */
import type { StepBatch } from '../compiler/program.ts';
import type { PackedWeight } from '../formats/packed/packedFile.ts';
import type { exportOptions } from '../protocol/model/exportFormats.ts';
import type { ModelProgram } from '../training/modelProgram.ts';
import type { Prepared } from '../training/prepare.ts';

export interface ExportFormat {
  /** @throws UserError for a model that cannot be written in the format; it says what is in the way */
  write(source: ExportSource, settings: ExportSettings): Promise<WrittenModel>;
  /**
   * Opens what was written.
   * @param path of the file or folder
   * @param samples what the model is to take, and the names of its inputs and outputs
   */
  open(path: string, samples: Samples): Promise<OpenedModel>;
  /** Opens other files of the folder that hold the whole model as well. */
  readonly alsoOpen?: readonly ExportFormat['open'][];
  /** A text for the folder, with what was measured on its files. */
  describe?(figures: ExportFigures): { name: string; text: string };
}

/** What a model is opened for. */
export type Samples = Pick<ModelProgram, 'inputs' | 'inputNames' | 'outputNames' | 'hasNamesOfFile'>;

/** A model with its weights, to be written. */
export interface ExportSource {
  readonly prepared: Pick<Prepared, 'program' | 'parameters'>;
  /** The weights in the form that the compression left, by name; undefined where there is none. */
  readonly compressed: ReadonlyMap<string, PackedWeight> | undefined;
  /** What a file says of where it comes from. */
  readonly origin: Origin;
}

export interface Origin {
  /** Id of the run; undefined for a model of another program. */
  readonly run: string | undefined;
  /** The settings as JSON. */
  readonly experiment: string;
  /** Steps that the weights were trained for; undefined for the final model. */
  readonly step?: number | undefined;
}

/** How a format is written; each takes some of these. */
export interface ExportSettings {
  /** True to write every weight as floats. */
  readonly dense?: boolean | undefined;
  /** Type of numbers in the file, where a weight has exactly such numbers. */
  readonly dtype?: (typeof exportOptions.dtype.values)[number] | undefined;
  /** True to round weights to {@link dtype}. */
  readonly round?: boolean | undefined;
  /** True to write pruned weights as sparse initializers of ONNX, in the place of what decodes itself. */
  readonly sparseInitializers?: boolean | undefined;
  /** Whose names and axes weights have; default: the model's. */
  readonly names?: (typeof exportOptions.names.values)[number] | undefined;
}

export interface WrittenModel {
  /** The bytes of the file, or those of each file of a folder by its path there. */
  readonly content: Uint8Array | ReadonlyMap<string, Uint8Array>;
  readonly weights: readonly WrittenWeight[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** What the file cannot be used for, as sentences; absent where nothing is to be told. */
  readonly warnings?: readonly string[];
}

/** A weight in a file. */
export interface WrittenWeight {
  readonly name: string;
  readonly form: PackedWeight['form'];
  /** Bytes of the tensors that hold it. */
  readonly bytes: number;
}

/** What was measured on the files of an export. */
export interface ExportFigures extends Pick<WrittenModel, 'weights' | 'inputs' | 'outputs'> {
  readonly run: string | undefined;
  readonly step?: number | undefined;
  readonly metric: string;
  readonly value: number;
  readonly runValue: number | undefined;
  readonly largestDifference: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** An input or output of a model in a file. */
export interface Port {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** What a model computes of a batch. */
export interface Output {
  readonly values: Float32Array;
  /** [samples, …] */
  readonly shape: readonly number[];
}

/** A written model that predicts. */
export interface OpenedModel {
  /** What runs it: 'ONNX Runtime'. */
  readonly engine: string;
  /** Samples of each batch that it takes; undefined where that is open. */
  readonly batchSize: number | undefined;
  /**
   * @param size samples of the batch
   * @returns the outputs, valid until the next call. States that layers carry go on from the batch before.
   */
  predict(size: number, inputs: StepBatch['inputs']): Promise<readonly Output[]>;
  /** Sets the states that layers carry from batch to batch to zero. */
  resetStates(): void;
  release(): Promise<void>;
}
