/** @file Ends a process of an old Node with a message, before anything is loaded that fails there with another one. */
import { oldNodeError } from '../protocol/nodeVersion.ts';

/** To be called before an entry point imports what it consists of. */
export function refuseOldNode(): void {
  // The editor starts its processes by VS Code's Node, which this variable asks for, or by that of the setting.
  const isSetting = process.env.ELECTRON_RUN_AS_NODE !== undefined;
  const error = oldNodeError(process.versions.node, process.execPath, { isSetting });
  if (!error) return;
  process.stderr.write(`error: ${error.message}\nto do: ${error.remedy}\n`);
  process.exit(error.exitCode);
}
