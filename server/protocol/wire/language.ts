/** @file What the editor and the language server know of one another, beside LSP and `describeModel.ts`. */

/** The language of experiment files in the editor, `*.deeptwist.jsonc`. */
export const EXPERIMENT_LANGUAGE = 'deeptwist';

/** What the editor says of itself when the server starts. */
export interface InitializationOptions {
  /** It answers `DescribeModelRequest`. */
  readonly describesModels: boolean;
}
