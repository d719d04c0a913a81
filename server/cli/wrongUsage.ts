/** @file The error of a command that is called with something that it does not take. */
import { ExitCode, UserError } from '../protocol/userError.ts';

/** @param message a clause without its full stop, such as "--energy-of cannot be 'cubes'" */
export function wrongUsage(command: string, message: string, remedy: string): UserError {
  return new UserError(`deeptwist ${command}: ${message}.`, { remedy, exitCode: ExitCode.usage });
}
