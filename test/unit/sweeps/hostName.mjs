/** @file To be imported first: this process and those that it starts are on the machine that HOST_OF_TEST names. */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

os.hostname = () => process.env.HOST_OF_TEST ?? 'a-host';
syncBuiltinESMExports();
