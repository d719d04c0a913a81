/** @file What a model card tells the Hugging Face Hub, at its head: https://huggingface.co/docs/hub/model-cards#model-card-metadata */

/** A result on a data set. */
export interface CardResult {
  /** As the Hub names tasks: `image-classification`. */
  readonly task: string;
  readonly dataset: string;
  readonly metric: string;
  readonly value: number;
  /** Split of the data set: `test`. */
  readonly split: string;
}

/** YAML, of which JSON is a part, between its lines of hyphens. */
export function cardFrontMatter({
  name,
  tags,
  metrics,
  results = [],
}: {
  readonly name: string;
  readonly tags: readonly string[];
  readonly metrics: readonly string[];
  readonly results?: readonly CardResult[];
}): string {
  const text = (value: string) => JSON.stringify(value);
  const list = (values: readonly string[]) => `[${values.map(text).join(', ')}]`;
  const written = results.flatMap(({ task, dataset, metric, value, split }) => [
    '  - task:',
    `      type: ${text(task)}`,
    '    dataset:',
    `      name: ${text(dataset)}`,
    `      type: ${text(dataset)}`,
    `      split: ${text(split)}`,
    '    metrics:',
    `    - type: ${text(metric)}`,
    // JSON has no number that is not finite; YAML does.
    `      value: ${Number.isFinite(value) ? value : '.nan'}`,
  ]);
  return [
    '---',
    'library_name: deeptwist',
    `tags: ${list(tags)}`,
    `metrics: ${list(metrics)}`,
    ...(results.length === 0 ? [] : ['model-index:', `- name: ${text(name)}`, '  results:', ...written]),
    '---',
    '',
  ].join('\n');
}
