/**
 * @file What the editor asks the thread that looks at the files of a workspace for a new experiment. All of it is data: the thread
 * executes nothing of a workspace, and the editor reads nothing itself.
 */
import type { FirstLayer } from '../experiment/firstExperiment.ts';
import type { TargetKind } from '../experiment/firstLoss.ts';
import type { LossId } from '../experiment/lossFacts.ts';
import type { Method } from '../experiment/schema.ts';
import type { ModelDescription } from '../model/modelDescription.ts';

/** Files of a workspace by what they may be, as the editor finds them by their names; absolute paths. */
export interface FoundFiles {
  /** Modules, of models and of data. */
  readonly sources: readonly string[];
  /** Files that are models by their endings, a `model.json` among them. */
  readonly models: readonly string[];
  readonly digits: readonly string[];
  readonly images: readonly string[];
  readonly arrays: readonly string[];
  readonly tables: readonly string[];
  readonly texts: readonly string[];
  /** The file that the user looks at. */
  readonly shown?: string | undefined;
}

export interface FoundModel {
  /** Absolute path, or `builtin:NAME`. */
  readonly reference: string;
  /** Export of a module that is the model, where the experiment has to name it. */
  readonly exportName?: string;
  /** Undefined where the file does not tell. */
  readonly layers?: readonly FirstLayer[];
  /** Used if neither the model's module nor a built-in model brings one, and the model is not described. */
  readonly loss?: LossId;
  /** The input that the model is made for; undefined where only its author knows. */
  readonly input?: 'digits' | 'words';
}

/** The samples and the targets of a split. */
export interface ArraySplit<A> {
  readonly inputs: A;
  readonly targets: A;
}

export interface ArraySplits<A> {
  readonly train: ArraySplit<A>;
  readonly test: ArraySplit<A>;
  readonly validation?: ArraySplit<A>;
}

export interface TableFacts {
  /** How a file with commas before decimals is written, in settings of `data`; undefined where it has points. */
  readonly form?: { readonly decimal: ','; readonly delimiter?: ',' };
  readonly target: string;
  readonly task: 'classification' | 'regression';
  /** Classes that were seen; undefined for a regression. */
  readonly classes?: number;
  /** Rows of the beginning of the file that was read. */
  readonly rows: number;
  /** Columns of texts that hardly repeat, which are names or notes. */
  readonly ignored: readonly string[];
  /** Numbers of a row that become inputs; undefined where some are texts, which become as many inputs as there are different ones. */
  readonly inputs?: number;
}

/** What was seen of a data set; undefined where only opening it tells. */
interface SeenFacts {
  /** Absolute: what a person knows it by. */
  readonly path: string;
  /** Sizes of a sample. */
  readonly sample?: readonly number[];
  readonly classes?: number;
  readonly targets?: TargetKind;
  /** Samples to train on; about so many in a table. */
  readonly samples?: number;
}

export type FoundData = SeenFacts &
  (
    | { readonly type: 'mnist' | 'module' | 'text' }
    | {
        readonly type: 'images';
        /** True for a folder with the folders of the classes itself, of which a part becomes the test split. */
        readonly isWhole: boolean;
        /** Height and width that all images have which were looked at; undefined where they differ. */
        readonly size?: readonly [height: number, width: number] | undefined;
      }
    | {
        readonly type: 'table';
        readonly table: TableFacts;
        /** Absolute, where the test split is a table of its own. */
        readonly test?: string | undefined;
      }
    | {
        readonly type: 'arrays';
        /** Absolute paths, with the name of an array behind a colon where a file has several. */
        readonly arrays: ArraySplits<string>;
      }
  );

export interface Proposals {
  /** Those of the workspace, the likeliest first, then the built-in ones. */
  readonly models: readonly FoundModel[];
  readonly data: readonly FoundData[];
  /** Files with layers and weights, which can teach. */
  readonly teachers: readonly string[];
}

/** A model with what was found out of it. */
export interface ChosenModel {
  readonly model: FoundModel;
  /** Undefined where the model could not be loaded, or may not be. */
  readonly described?: ModelDescription | undefined;
}

export type ChosenTeacher =
  | { readonly file: string }
  | {
      /** The run folder. */
      readonly run: string;
      /** Name of its experiment. */
      readonly name: string;
      /** True where no other experiment of the workspace has that name. */
      readonly isNameUnique: boolean;
    };

/** What pixels were when a model was trained: `unit` is 0 to 1. */
export type Pixels = 'symmetric' | 'imagenet' | 'unit' | 'training';

export interface ChosenExperiment {
  /** Folder of the file, absolute. */
  readonly folder: string;
  readonly model: ChosenModel;
  readonly data: FoundData;
  /** What the pixels are to be, for images; default: standardized by their own mean and deviation. */
  readonly pixels?: Pixels;
  readonly method: Method;
  readonly layers: readonly FirstLayer[];
  readonly teacher?: ChosenTeacher;
  /** Length of the training, where it is not the usual one of a first experiment. */
  readonly steps?: number;
}

/** The questions, each with its answer. */
export interface ProposalCalls {
  find(files: FoundFiles): Proposals;
  /** Places of the data in the list that the model takes, the surest first. */
  fitting(question: { readonly data: readonly FoundData[]; readonly model: ChosenModel }): number[];
  /** The layers that can be compressed; all of them as one glob where their names are not known. */
  layers(model: ChosenModel): readonly FirstLayer[];
  /** Text of an experiment file. */
  text(experiment: ChosenExperiment): string;
  /** A script that exports the only model of some Python code as ONNX; of no code, or of several models, with names to replace. */
  torchScript(code: { readonly module: string; readonly text: string }): string;
  /** The text of the sample experiment, which draws its data. */
  sample(sample: { readonly module: string; readonly steps: number }): string;
}

export type ProposalName = keyof ProposalCalls;

/** What the editor posts; the thread answers in the same order. */
export interface ProposalRequest<N extends ProposalName = ProposalName> {
  readonly name: N;
  readonly question: Parameters<ProposalCalls[N]>[0];
}

export type ProposalAnswer = { readonly answer: unknown } | { readonly problem: string };
