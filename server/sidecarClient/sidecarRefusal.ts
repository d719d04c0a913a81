/** @file The error of a connection that a run's process refuses. Apart from the connection, which loads JSON-RPC. */
import { UserError } from '../protocol/userError.ts';

/**
 * A process answers, but will not speak with this client: it is of another version, or not the run's process. The run itself has
 * not ended, and trying again does not help.
 */
export class SidecarRefusal extends UserError {}
