/** @file The facts of a model's weights that are shown beside its code: the setting `deeptwist.editor.weightMarks`. */

export interface WeightParts {
  readonly lens: boolean;
  readonly hover: boolean;
  readonly gutter: boolean;
}
