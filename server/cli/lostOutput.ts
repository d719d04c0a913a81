/**
 * @file Standard output that cannot be written any more: a terminal or a connection that is gone, a full disk, a reader that has
 * left (`| head`). A run goes on, since its folder is what counts; a command that only prints has nothing left to do.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';
import { ExitCode } from '../protocol/userError.ts';

/**
 * Ends the process where its standard output is lost.
 * @returns a function that lets the process go on from then on, with one warning
 */
export function endWithOutput(): () => void {
  leaveLostTerminals();
  let goesOn = false;
  let told = false;
  process.stderr.on('error', () => undefined); // There is nobody left to tell.
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    const hasReaderLeft = code === 'EPIPE';
    if (!told && !hasReaderLeft) {
      const problem = `standard output cannot be written: ${message}\n`;
      process.stderr.write(
        goesOn
          ? `warning: ${problem}The run goes on; everything that it records is in its folder.\n`
          : `error: ${problem}`,
      );
    }
    told = true;
    if (!goesOn) process.exit(hasReaderLeft ? ExitCode.done : ExitCode.failed);
  });
  return () => {
    goesOn = true;
  };
}

/**
 * At its exit, Node restores the settings of the terminals that it began with, and aborts where one of them answers EIO because it
 * is gone (`ResetStdio` in its node.cc). It passes over a file descriptor that is no longer the same file.
 */
function leaveLostTerminals(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    for (const descriptor of terminals) {
      if (isatty(descriptor)) continue;
      closeSync(descriptor);
      openSync(devNull, 'r+'); // Takes the lowest number that is free: the one of the terminal.
    }
  });
}
