/** @file What is fuzzed: a reader of the product, by the entry that the product uses. */
import type { Mutation } from './mutations.ts';

export interface Subject {
  readonly name: string;
  readonly cases: number;
  /**
   * A folder that the reader accepts: content of files by their names, which may have folders in them. `{{folder}}` in a
   * content is the folder's own path.
   */
  files(): Promise<Readonly<Record<string, Uint8Array | string>>>;
  /** How each of the files is made wrong; a case changes one or two of them. */
  readonly mutations: Readonly<Record<string, readonly Mutation[]>>;
  /** Reads the folder. What it throws must be a UserError. */
  read(folder: string): Promise<unknown>;
  /** True where the reader has read the files that are right. Left out: it has where nothing was thrown. */
  isRead?(result: unknown): boolean;
  /** True where a setting of the user's may name any file of the machine; else nothing outside the folder may be opened. */
  readonly readsAnywhere?: boolean;
}

export interface CaseResult {
  readonly index: number;
  /** What was changed. */
  readonly what: string;
  /** What the reader did wrong. */
  readonly failure?: string;
}
