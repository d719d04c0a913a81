/** @file Entry point of a run's process: `sidecar.js RUN_FOLDER [--resume] [--parallel N]`. See docs/sidecar.md. */
import { refuseOldNode } from '../runs/refuseOldNode.ts';

refuseOldNode();
await import('./sidecarProcess.ts');
