/**
 * @file What the language server asks of the editor, beside LSP itself. Declared once as parameters and result; both sides
 * take their types from here.
 */

/** The language of experiment files in the editor, `*.deeptwist.jsonc`. */
export const EXPERIMENT_LANGUAGE = 'deeptwist';

/**
 * Asks the editor to describe the model of an experiment file that has no valid description. The editor answers when the file
 * has been described, in a process of its own, or will not be; a request that is cancelled ends that process.
 */
export const describeModel = 'deeptwist/describeModel';

export interface DescribeModelParams {
  /** Of the experiment file. */
  readonly uri: string;
}

export interface DescribeModelResult {
  /** Undefined where the editor may not: the workspace is not trusted, or a setting says so. */
  readonly described: boolean | undefined;
}

/** What the editor says of itself when the server starts. */
export interface InitializationOptions {
  /** It answers {@link describeModel}. */
  readonly describesModels: boolean;
}
