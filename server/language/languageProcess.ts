/** @file The language server in its process: the connection that its arguments ask for. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { serve } from './server.ts';

serve(createConnection(ProposedFeatures.all)).listen();
