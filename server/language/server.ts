/** @file The language server on a connection: capabilities, the features' requests, and what makes it look again. */
import {
  CodeLensRefreshRequest,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  TextDocumentSyncKind,
  type ClientCapabilities,
  type Connection,
  type ServerCapabilities,
} from 'vscode-languageserver/node';
import { moduleEndings } from '../protocol/model/modelEndings.ts';
import type { InitializationOptions } from '../protocol/wire/language.ts';
import { stackOf } from '../protocol/thrown.ts';
import { features } from './features/index.ts';
import { ModelRequests } from './modelRequests.ts';
import { fileOf, OpenDocuments } from './openDocuments.ts';
import { otherExperiments } from './otherExperiments.ts';
import { PublishedDiagnostics } from './publishedDiagnostics.ts';
import { SurroundingsFinder } from './surroundings.ts';

/** The texts of modules are followed, too: a model's layers are found in what the editor shows. */
const MODULES = { documentSelector: [{ scheme: 'file', pattern: `**/*{${moduleEndings.join(',')}}` }] };

/** Milliseconds after which the lenses of a run that trains are asked for again: they tell the step. */
const STEP_TOLD_EVERY_MS = 2000;

/** Prepares the connection; the caller lets it listen. */
export function serve(connection: Connection): Connection {
  const documents = new OpenDocuments((uri) => diagnostics.changed(uri));
  const finder = new SurroundingsFinder(documents);
  const open = async (uri: string) => {
    const document = documents.experiment(uri);
    if (!document) return undefined;
    const others = () => otherExperiments(finder.folders, documents, uri);
    return { document, surroundings: await finder.around(document), others };
  };
  const diagnostics = new PublishedDiagnostics(connection, open);
  let client: ClientCapabilities = {};
  const workspaceIs = (folders: readonly { readonly uri: string }[]) => {
    finder.folders = folders.flatMap(({ uri }) => fileOf(uri) ?? []);
  };

  /** For requests to the editor that the server can do without. */
  const logFailure = (work: Promise<unknown>) => {
    work.catch((error: unknown) => connection.console.warn(stackOf(error)));
  };
  const refreshLenses = () => {
    if (client.workspace?.codeLens?.refreshSupport) logFailure(connection.sendRequest(CodeLensRefreshRequest.type));
  };
  /** Something around the experiment files has changed: what is shown of them may not hold. */
  const lookAgain = () => {
    for (const uri of documents.experiments()) diagnostics.changed(uri);
    if (client.workspace?.inlayHint?.refreshSupport) logFailure(connection.languages.inlayHint.refresh());
    refreshLenses();
  };
  let trained = false;
  const following = setInterval(() => {
    const trains = finder.runs.anyTrains;
    if (trains || trained) refreshLenses(); // Once more, when a run has stopped without a word.
    trained = trains;
  }, STEP_TOLD_EVERY_MS);
  following.unref();
  connection.onShutdown(() => clearInterval(following));
  const askForModels = () => {
    for (const uri of documents.experiments()) models.ask(uri);
  };
  const models = new ModelRequests(connection, open, (uri, source, { described, problem }) => {
    const isNew = finder.setModelProblem(uri, source, problem);
    if (described || isNew) lookAgain();
  });

  connection.onInitialize(({ capabilities, initializationOptions, workspaceFolders }) => {
    client = capabilities;
    workspaceIs(workspaceFolders ?? []);
    models.supported = (initializationOptions as InitializationOptions | undefined)?.describesModels === true;
    return { capabilities: serverCapabilities(), serverInfo: { name: 'DeepTwist' } };
  });
  connection.onInitialized(() => {
    if (client.workspace?.workspaceFolders)
      connection.workspace.onDidChangeWorkspaceFolders(() => {
        logFailure(connection.workspace.getWorkspaceFolders().then((folders) => workspaceIs(folders ?? [])));
      });
    if (!client.textDocument?.synchronization?.dynamicRegistration) return;
    logFailure(connection.client.register(DidOpenTextDocumentNotification.type, MODULES));
    logFailure(connection.client.register(DidCloseTextDocumentNotification.type, MODULES));
    const changes = { ...MODULES, syncKind: TextDocumentSyncKind.Incremental } as const;
    logFailure(connection.client.register(DidChangeTextDocumentNotification.type, changes));
  });
  connection.onDidChangeWatchedFiles(({ changes }) => {
    finder.forget();
    lookAgain();
    if (changes.some(({ uri }) => !uri.includes('/.deeptwist/'))) askForModels();
  });
  // A workspace has become trusted, or a setting has changed: what the editor may do.
  connection.onDidChangeConfiguration(askForModels);
  documents.onDidOpenOrSave((uri) => models.ask(uri));
  documents.onDidClose((uri) => {
    diagnostics.close(uri);
    models.cancel(uri);
  });
  for (const { register } of features) register(connection, open);
  documents.listen(connection);
  return connection;
}

function serverCapabilities(): ServerCapabilities {
  return Object.assign(
    {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    },
    ...features.map(({ capabilities }) => capabilities),
  ) as ServerCapabilities;
}
