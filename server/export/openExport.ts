/** @file Opens an exported file that comes from anywhere: whatever is wrong with it is an error that names it. */
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import type { OpenedModel, Samples } from './format.ts';
import { formats } from './formats.ts';
import type { RecognizedExport } from './recognizeExport.ts';
import { EXPORT_AGAIN } from '../models/storedModel.ts';

/**
 * @param path of the file or folder
 * @throws UserError for a file that is damaged or of another model, also when it predicts
 */
export async function openExport(
  { format }: Pick<RecognizedExport, 'format'>,
  path: string,
  samples: Samples,
): Promise<OpenedModel> {
  const explained = (error: unknown) => {
    if (error instanceof UserError) return error;
    const [reason] = messageOf(error).split('\n', 1);
    return new UserError(`${path} cannot be run: ${reason.slice(0, LONGEST_REASON).replace(/\.$/, '')}.`, {
      remedy: EXPORT_AGAIN,
      cause: error,
    });
  };
  try {
    const file = await formats[format].open(path, samples);
    return {
      get engine() {
        return file.engine;
      },
      batchSize: file.batchSize,
      resetStates: () => file.resetStates(),
      release: () => file.release(),
      async predict(size, inputs) {
        try {
          return await file.predict(size, inputs);
        } catch (error) {
          throw explained(error);
        }
      },
    };
  } catch (error) {
    throw explained(error);
  }
}

/** Characters of another program's message. */
const LONGEST_REASON = 300;
