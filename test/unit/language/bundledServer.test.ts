/** @file The language server as it is built: bundling must not lose what its sources import. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { expect, test } from 'vitest';
import { useInstallation } from '../installation.ts';

const installation = useInstallation();

test('answers over the channel that the editor opens', async () => {
  const server = fork(join(installation(), 'dist', 'language.js'), ['--node-ipc'], { silent: true });
  const exited = new Promise<never>((_, reject) =>
    server.once('exit', (code) => reject(new Error(`The server has ended with ${code}.`))),
  );
  exited.catch(() => undefined);
  const connection = createMessageConnection(new IPCMessageReader(server), new IPCMessageWriter(server));
  try {
    connection.listen();
    const parameters = { processId: process.pid, rootUri: null, capabilities: {} };
    const answer = connection.sendRequest<{ capabilities: object }>('initialize', parameters);
    const { capabilities } = await Promise.race([answer, exited]);
    expect(capabilities).toMatchObject({ hoverProvider: true });
    await connection.sendRequest('shutdown');
  } finally {
    connection.dispose();
    server.kill();
  }
});
