/** @file The better one of two values of a metric, by the metric's name: a user's module can have any. */

/** True for accuracies and the like, of which a greater value is better; false for losses, errors and perplexities. */
export function isGreaterBetter(metric: string): boolean {
  return !/loss|error|perplexity|ppl|entropy|mse|mae|mape|msle|divergence|nats|bits/i.test(metric);
}
