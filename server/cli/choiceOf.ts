/** @file The value of an option that is one of a few words. */
import { wrongUsage } from './wrongUsage.ts';

/**
 * @returns undefined where the option is not given
 * @throws UserError for a value that the option does not have
 */
export function choiceOf<T extends string>(
  command: string,
  option: string,
  values: readonly T[],
  text: string | undefined,
): T | undefined {
  const found = values.find((value) => value === text);
  if (text === undefined || found !== undefined) return found;
  throw wrongUsage(command, `--${option} cannot be '${text}'`, `Choose one of: ${values.join(', ')}.`);
}
