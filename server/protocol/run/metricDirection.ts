/** @file The better one of two values of a metric, by the metric's name: a user's module can have any. */

const SMALLER_IS_BETTER =
  'loss error errors err perplexity ppl entropy mse rmse rms msle rmsle mae mape smape divergence kl kld nats bits bpc bpd bpw bpb nll brier ' +
  'distance deviation residual hinge huber logcosh ece wer cer ter fid cost penalty misclassification regret hamming';
const GREATER_IS_BETTER =
  'accuracy acc precision recall sensitivity specificity f1 f2 fbeta fmeasure fscore auc auroc auprc ap map iou miou jaccard dice score r2 ' +
  'correlation pearson spearman likelihood bleu rouge meteor chrf psnr snr ssim kappa mcc matthews hit hits ndcg mrr similarity reward ' +
  'agreement correct coverage top';

const greaterByWord = new Map<string, boolean>([
  ...SMALLER_IS_BETTER.split(' ').map((word) => [word, false] as const),
  ...GREATER_IS_BETTER.split(' ').map((word) => [word, true] as const),
]);

/** Words that are long enough to be found at the end of a name that is written as one: `meansquarederror`. */
const endings = [...greaterByWord.keys()].filter((word) => word.length > 3).sort((a, b) => b.length - a.length);

/** True for accuracies and the like, of which a greater value is better; false for losses, errors and perplexities. */
export function isGreaterBetter(metric: string): boolean {
  return knownDirection(metric) ?? true;
}

/** A sentence for a metric whose name does not say which of two values is better; undefined for one whose name does. */
export function directionWarning(metric: string): string | undefined {
  if (knownDirection(metric) !== undefined) return undefined;
  return (
    `The name of the metric '${metric}' does not say if more of it is better: a greater value is taken to be. ` +
    `Name it in the model's module '${metric} score', or '${metric} error' where a smaller one is better.`
  );
}

/** What the last word that is known says, as in `error of the mean accuracy`; undefined where none is. */
function knownDirection(metric: string): boolean | undefined {
  if (/negative/i.test(metric)) return false;
  const words = metric.match(/[A-Z]?[a-z]+\d*|[A-Z]+\d*(?![a-z])/g) ?? [];
  const whole = metric.replaceAll(/[^a-z\d]/gi, '').toLowerCase();
  const said = [...words.map((word) => word.toLowerCase()), whole].map(
    // `f1` has its digit in the list, `top5` has it not.
    (word) => greaterByWord.get(word) ?? greaterByWord.get(word.replace(/\d+$/, '')),
  );
  const known = said.findLast((direction) => direction !== undefined);
  return known ?? greaterByWord.get(endings.find((word) => whole.endsWith(word)) ?? '');
}
