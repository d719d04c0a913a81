/** @file From arguments to a command: parsing, help, and errors as exit codes. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../protocol/experiment/didYouMean.ts';
import { explainSystemError } from '../protocol/systemError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { messageOf } from '../protocol/thrown.ts';
import type { Command, CommandArguments, CommandContext, CommandOption } from './command.ts';
import { benchmarkCommand } from './commands/benchmark.ts';
import { changeCommand } from './commands/change.ts';
import { compareCommand } from './commands/compare.ts';
import { describeCommand } from './commands/describe.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { exportCommand } from './commands/export.ts';
import { exportLogCommand } from './commands/exportLog.ts';
import { inspectCommand } from './commands/inspect.ts';
import { mcpCommand } from './commands/mcp.ts';
import { reportCommand } from './commands/report.ts';
import { runsCommand } from './commands/runs.ts';
import { searchCommand } from './commands/search.ts';
import { sensitivityCommand } from './commands/sensitivity.ts';
import { showCommand } from './commands/show.ts';
import { sweepCommand } from './commands/sweep.ts';
import { thinCommand } from './commands/thin.ts';
import { resumeCommand, runCommand } from './commands/train.ts';
import { errorJson } from './progressLines.ts';
import { failureLines } from './report.ts';
import { writeLines } from './terminal.ts';

const commands: readonly Command[] = [
  runCommand,
  resumeCommand,
  sweepCommand,
  searchCommand,
  runsCommand,
  showCommand,
  changeCommand,
  compareCommand,
  reportCommand,
  evaluateCommand,
  exportCommand,
  exportLogCommand,
  thinCommand,
  benchmarkCommand,
  sensitivityCommand,
  describeCommand,
  inspectCommand,
  mcpCommand,
];

/**
 * Runs `deeptwist ARGUMENTS` and returns the exit code. Every error becomes a message on standard error.
 */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  let errorsAreJson = false;
  try {
    const [name, ...rest] = args;
    if (name === '--version' || name === '-v') {
      context.stdout.write(`${context.version}\n`);
      return ExitCode.done;
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      (name === undefined ? context.stderr : context.stdout).write(help());
      return name === undefined ? ExitCode.usage : ExitCode.done;
    }
    const command = commands.find((candidate) => candidate.name === name);
    if (!command) throw unknownCommand(name);
    if (rest.includes('--help') || rest.includes('-h')) {
      context.stdout.write(commandHelp(command));
      return ExitCode.done;
    }
    const parsed = parse(command, rest);
    if (command.outlivesOutput) context.goOnWithoutOutput();
    if (parsed.options.json) context.keepConsoleOffStdout();
    errorsAreJson = parsed.options.progress === 'json';
    return await Promise.race([command.run(parsed, context), context.uncaught.abandoned]);
  } catch (error) {
    const lines = errorsAreJson ? [errorJson(explained(error))] : errorLines(error, context);
    writeLines(context.stderr, lines);
    return error instanceof UserError ? error.exitCode : ExitCode.failed;
  }
}

function errorLines(error: unknown, { stderr }: CommandContext): string[] {
  const isUnexpected = !(error instanceof UserError);
  if (isUnexpected && process.env.DEEPTWIST_DEBUG && error instanceof Error) return [error.stack ?? error.message];
  return failureLines(explained(error), stderr);
}

function explained(error: unknown): UserError {
  const known = explainSystemError(error);
  if (known instanceof UserError) return known;
  return new UserError(`unexpected: ${messageOf(error)}`, {
    remedy: 'Set DEEPTWIST_DEBUG=1 to see where it happened, and report it.',
  });
}

function parse(command: Command, args: string[]): CommandArguments {
  const { minimum, maximum } = command.positionals;
  try {
    const options = Object.fromEntries(
      Object.entries(command.options).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
    );
    const { values, positionals } = parseArgs({ args: joined(command, args), options, allowPositionals: true });
    if (positionals.length < minimum || positionals.length > maximum)
      throw usageError(command, `expected ${usage(command)}`);
    return { positionals, options: values as CommandArguments['options'] };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('ERR_PARSE_ARGS_')) throw error;
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw unknownOption(command, args);
    throw usageError(command, (error as Error).message.split('. ')[0]);
  }
}

/** `--slurm --time=1:00` as `--slurm=--time=1:00`, which is not ambiguous. */
function joined({ options }: Command, args: readonly string[]): string[] {
  const all: string[] = [];
  for (const arg of args) {
    const before = all.at(-1);
    if (before?.startsWith('--') && options[before.slice(2)]?.mayBeginWithDash)
      all[all.length - 1] = `${before}=${arg}`;
    else all.push(arg);
  }
  return all;
}

function unknownOption(command: Command, args: readonly string[]): UserError {
  const known = Object.keys(command.options).map((name) => `--${name}`);
  const option = args
    .map((arg) => arg.split('=')[0])
    .find((arg) => arg.startsWith('-') && arg !== '--' && !known.includes(arg));
  const meant = didYouMean(option ?? '', known);
  return usageError(command, `unknown option ${option}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

function usageError(command: Command, message: string): UserError {
  return new UserError(`deeptwist ${command.name}: ${message}`, {
    remedy: `See \`deeptwist ${command.name} --help\`.`,
    exitCode: ExitCode.usage,
  });
}

function unknownCommand(name: string): UserError {
  const meant = didYouMean(
    name,
    commands.map((command) => command.name),
  );
  return new UserError(`deeptwist has no command '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`, {
    remedy: 'See `deeptwist --help`.',
    exitCode: ExitCode.usage,
  });
}

function usage(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => {
    const repeated = option.multiple ? '…' : '';
    return `[${optionUsage(name, option)}]${repeated}`;
  });
  return ['deeptwist', command.name, command.positionals.usage, ...options].join(' ');
}

function optionUsage(name: string, option: CommandOption): string {
  return option.value === undefined ? `--${name}` : `--${name} ${option.value}`;
}

function help(): string {
  return (
    'DeepTwist makes neural networks smaller: it trains in full precision and occasionally overwrites the weights by\n' +
    'their compressed form.\n\n' +
    columns(commands.map((command) => [`deeptwist ${command.name} ${command.positionals.usage}`, command.summary])) +
    '\nRUN is the id of a run or the beginning of it, the path of its folder, or `last`. `deeptwist COMMAND --help` lists\n' +
    'the options of a command. Exit codes: 0 done, 1 failed, 2 wrong usage or experiment file, 130 stopped.\n'
  );
}

function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => [
    optionUsage(name, option),
    option.description,
  ]);
  return `Usage: ${usage(command)}\n\n${command.summary}\n${options.length > 0 ? `\n${columns(options)}` : ''}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}
