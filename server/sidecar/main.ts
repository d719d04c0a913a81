/** @file Entry point of a run's process: `sidecar.js RUN_FOLDER`. */
export {};
