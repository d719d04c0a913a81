/**
 * @file Messages between the language server and the editor about models, which LSP does not have. Apart from `language.ts`, since it
 * loads JSON-RPC, which a window without an experiment file does not need.
 */
import { NotificationType, RequestType } from 'vscode-jsonrpc';

interface DescribeModelParams {
  /** Address of the experiment file. */
  readonly uri: string;
}

/** Why a model cannot be made. */
export interface ModelProblem {
  /** It may name a place, as `codePlace.ts` reads it. */
  readonly message: string;
  readonly remedy?: string | undefined;
}

export interface DescribeModelResult {
  /** Undefined where the editor may not: the workspace is not trusted, or a setting says so. */
  readonly described: boolean | undefined;
  /** Set if the model itself is wrong. */
  readonly problem?: ModelProblem | undefined;
}

/**
 * Asks the editor to describe the model of an experiment file that has no valid description. The editor answers when the file
 * has been described, in a process of its own, or will not be; a request that is cancelled ends that process.
 */
export const DescribeModelRequest = {
  type: new RequestType<DescribeModelParams, DescribeModelResult, void>('deeptwist/describeModel'),
};

interface ModelKnownParams {
  /** Address of the experiment file. */
  readonly uri: string;
  /** False for a file that has no valid settings of its model and its data. */
  readonly isKnown: boolean;
}

/** Tells the editor that the server does not ask for the model of an experiment file: it has a description, or cannot have one. */
export const ModelKnownNotification = {
  type: new NotificationType<ModelKnownParams>('deeptwist/modelKnown'),
};
