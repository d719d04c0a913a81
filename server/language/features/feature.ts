/**
 * @file What a feature of the language server is: one row of the table in index.ts, made of a request of LSP, what the
 * server says of it, and a function of an experiment file and its surroundings.
 */
import {
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
  type Connection,
  type Disposable,
  type ProtocolRequestType,
  type ServerCapabilities,
  type TextDocumentIdentifier,
} from 'vscode-languageserver/node';
import { withoutLinks } from '../../protocol/markdown.ts';
import { UserError } from '../../protocol/userError.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';

/** An experiment file at one moment. */
export interface OpenExperiment {
  readonly document: ExperimentDocument;
  readonly surroundings: Surroundings;
  /** The other experiment files of the workspace; those that are not open have version 0. */
  others(): Promise<readonly ExperimentDocument[]>;
}

/** Undefined for a document that is no open experiment file. */
export type OpenExperimentOf = (uri: string) => Promise<OpenExperiment | undefined>;

export interface Feature {
  readonly capabilities: ServerCapabilities;
  register(connection: Connection, open: OpenExperimentOf): void;
}

/**
 * A row: the answer to a request about one experiment file. The answer is for the version that was open when it was asked; it is
 * empty for other documents, and a request that is cancelled meanwhile is not computed.
 */
export function feature<P extends { textDocument: TextDocumentIdentifier }, R, PR, RO>(
  type: ProtocolRequestType<P, R, PR, void, RO>,
  capabilities: ServerCapabilities,
  answer: (open: OpenExperiment, params: P, connection: Connection) => R | PromiseLike<R>,
): Feature {
  return {
    capabilities,
    register(connection, open) {
      connection.onRequest(type.method, async (params: P, token: CancellationToken) => {
        const experiment = await unlessCancelled(open(params.textDocument.uri), token);
        try {
          return experiment ? await answer(experiment, params, connection) : null;
        } catch (error) {
          throw error instanceof UserError ? asResponse(error) : error;
        }
      });
    },
  };
}

/** The editor shows the message as it is. */
function asResponse({ message, remedy }: UserError): ResponseError<void> {
  const text = [message, remedy].filter((part) => part !== undefined).join(' ');
  return new ResponseError(LSPErrorCodes.RequestFailed, withoutLinks(text));
}

/** What is around a file may take long to read: a request that is cancelled does not wait for it. */
async function unlessCancelled<T>(work: Promise<T>, token: CancellationToken): Promise<T> {
  if (token.isCancellationRequested) throw cancelled();
  let listener: Disposable | undefined;
  const cancellation = new Promise<never>((_, reject) => {
    listener = token.onCancellationRequested(() => reject(cancelled()));
  });
  return Promise.race([work, cancellation]).finally(() => listener?.dispose());
}

function cancelled(): ResponseError<void> {
  return new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
}
