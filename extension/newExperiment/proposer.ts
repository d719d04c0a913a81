/** @file The thread that looks at the files of a workspace for a new experiment. */
import { Worker } from 'node:worker_threads';
import { Uri, type ExtensionContext } from 'vscode';
import type {
  ProposalAnswer,
  ProposalCalls,
  ProposalName,
  ProposalRequest,
} from '../../server/protocol/wire/proposals.ts';
import { Disposable } from '../dispose.ts';

const MEMORY_MB = 1024;

export class Proposer extends Disposable {
  readonly #thread: Worker;

  constructor({ extensionUri }: Pick<ExtensionContext, 'extensionUri'>) {
    super();
    this.#thread = new Worker(Uri.joinPath(extensionUri, 'dist', 'proposals.js').fsPath, {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    this.register({ dispose: () => void this.#thread.terminate() });
  }

  /** One question at a time. @throws the error of the thread, and where it ends before it has answered */
  ask<N extends ProposalName>(
    name: N,
    question: Parameters<ProposalCalls[N]>[0],
  ): Promise<ReturnType<ProposalCalls[N]>> {
    const thread = this.#thread;
    return new Promise((resolve, reject) => {
      const onMessage = (message: ProposalAnswer) => {
        thread.off('error', onError).off('exit', onExit);
        if ('problem' in message) reject(new Error(message.problem));
        else resolve(message.answer as ReturnType<ProposalCalls[N]>);
      };
      const onError = (error: unknown) => reject(error instanceof Error ? error : new Error(String(error)));
      const onExit = () => reject(new Error('The thread has ended.'));
      thread.once('message', onMessage).once('error', onError).once('exit', onExit);
      thread.postMessage({ name, question } satisfies ProposalRequest<N>);
    });
  }
}
