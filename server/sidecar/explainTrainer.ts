/** @file What keeps the trainer from being loaded, in words. */
import { UserError } from '../protocol/userError.ts';

/**
 * A numeric library that is missing, or whose native file is of another platform, becomes a {@link UserError} that says what
 * to install; any other error is returned as it is.
 */
export function explainTrainer(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [firstLine] = error.message.split('\n');
  const platform = `${process.platform}-${process.arch}`;
  const native =
    /onnxruntime[^'"\s]*\.node/.test(error.message) || ('code' in error && error.code === 'ERR_DLOPEN_FAILED');
  if (native) {
    return new UserError(`onnxruntime-node has no binary that runs on ${platform}: ${firstLine}`, {
      remedy: `Reinstall the DeepTwist package for this platform (${platform}); in a checkout, run npm install on this machine.`,
      cause: error,
    });
  }
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1];
  if (missing === undefined) return error;
  return new UserError(`The trainer cannot be loaded: ${missing} is missing.`, {
    remedy: 'The installation is damaged: reinstall DeepTwist; in a checkout, run npm install.',
    cause: error,
  });
}
