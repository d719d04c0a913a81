/** @file What a tool of the server of agents is, and what it gets to work with. */
import type { InputRequiredResult } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import type { Checker } from './checker.ts';
import type { FollowedRuns } from './followedRuns.ts';
import type { Workspace } from './workspace.ts';

/** Files of the installation. */
export interface Scripts {
  /** The command `deeptwist`. */
  readonly command: string;
  /** `sidecar.js`: what trains a run. */
  readonly sidecar: string;
}

/** A call of a tool. */
export interface Call {
  readonly workspace: Workspace;
  /** Aborts where the client cancels the call or goes away. */
  readonly signal: AbortSignal;
  readonly scripts: Scripts;
  readonly checker: Checker;
  readonly followed: FollowedRuns;
  /** Tells a client that wants to know. */
  progress(message: string): void;
  /**
   * To be called before anything is done: the handler is called again with the answer.
   * @param question what is about to happen, in sentences
   * @throws NeedsInput while the person is asked; UserError where the answer is no
   */
  confirm(question: string): void;
}

/** Thrown out of a tool's handler to ask the client; the handler is then called again. */
export class NeedsInput extends Error {
  readonly result: InputRequiredResult;

  constructor(result: InputRequiredResult) {
    super('The client is asked.');
    this.result = result;
  }
}

/** What a tool does: hosts let people choose by it which calls they allow without being asked. */
export type Effect =
  | 'reads'
  /** Writes files of the workspace, or stops what trains. */
  | 'writes'
  /** Trains, or loads modules of the workspace: it is confirmed. */
  | 'runs code';

export interface AgentTool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** What it does and how to get more, for a model that chooses among tools. */
  readonly description: string;
  readonly effect: Effect;
  /** True where it can replace or end something that is not easily had back. */
  readonly isDestructive?: boolean;
  readonly input: I;
  readonly output: O;
  run(input: z.output<I>, call: Call): Promise<z.input<O>>;
}

/** Keeps the types of a tool's input and output together. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: AgentTool<I, O>): AgentTool<I, O> {
  return tool;
}

/** Rows that an answer has unless more are asked for. */
export function pageOf(limit: number, most = 500) {
  return {
    limit: z.int().min(1).max(most).default(limit).describe(`At most so many; up to ${most}.`),
    offset: z.int().min(0).default(0).describe('How many to pass over.'),
  };
}

/** A part of a list, and how many there are behind it. */
export function page<T>(all: readonly T[], { limit, offset }: { limit: number; offset: number }) {
  const part = all.slice(offset, offset + limit);
  return { part, more: Math.max(0, all.length - offset - part.length) };
}

export const more = z.int().describe('How many follow: ask again with a greater "offset".');

/** Input of tools that are confirmed. */
export const confirmInput = {
  confirm: z
    .boolean()
    .default(false)
    .describe(
      'True once the user has agreed. Looked at only where the client cannot ask the user by itself: the call then answers with what to ask.',
    ),
};

export const runReference = z
  .string()
  .min(1)
  .max(4096)
  .describe(
    'Id of a run or the beginning of it, path of its folder, name of an experiment (its newest run), or "last".',
  );

export const pathInput = z.string().min(1).max(4096);

export const overridesInput = z
  .array(z.string().max(10_000))
  .max(1000)
  .default([])
  .describe('Settings in place of those of the file: "training.steps=100"; null removes one.');

/** `evaluating, 120 of 500 samples` */
export function progressText({ phase, samples, settings, rounds, of }: ExportProgress): string {
  const done = samples ?? settings ?? rounds;
  if (done === undefined) return phase;
  const unit = samples !== undefined ? 'samples' : settings !== undefined ? 'settings' : 'rounds';
  return `${phase}, ${done}${of === undefined ? '' : ` of ${of}`} ${unit}`;
}
