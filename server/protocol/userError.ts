/** @file The one error class whose message is shown to a user as it is, without a stack trace. */

/** Process exit codes of the CLI. */
export const ExitCode = { done: 0, failed: 1, usage: 2, stopped: 130 } as const;

/**
 * Something that the user can mend. `message` names the file and the setting and says what was expected; `remedy` says
 * what to do. `exitCode` is {@link ExitCode.usage} for a command line or config error, {@link ExitCode.failed} else.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly remedy: string | undefined;
  readonly exitCode: number;
  /** The option, without dashes, with which the command does it all the same. */
  readonly option: string | undefined;

  constructor(message: string, options: { remedy?: string; exitCode?: number; option?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.remedy = options.remedy;
    this.option = options.option;
    this.exitCode = options.exitCode ?? ExitCode.failed;
  }
}

/** Message and remedy as sentences, for a log. */
export function inOneLine({ message, remedy }: { message: string; remedy?: string }): string {
  if (remedy === undefined) return message;
  return `${message}${/[.!?:]$/.test(message) ? '' : '.'} ${remedy}`;
}
