/** @file What has to be there before a command can run, and how it is brought from outside, said as it happens. */

/**
 * @typedef {object} Need
 * @property {string} doing what is said while it is brought: "Installing …"
 * @property {() => boolean} isMissing throws an Error that says what to do, where it is missing and cannot be brought
 * @property {() => Promise<void>} bring
 */

/** Ends the process with a message instead of a stack trace. @param {string} message @returns {never} */
export function fail(message) {
  console.error(`deeptwist: ${message}`);
  process.exit(1);
}

/**
 * Brings what is missing, one after the other, each with the time that it takes.
 * @param {readonly Need[]} needs
 * @throws an Error of the first that cannot be brought
 */
export async function bring(needs) {
  for (const { doing, isMissing, bring } of needs) {
    if (!isMissing()) continue;
    console.error(`${doing} …`);
    const start = performance.now();
    await bring();
    console.error(`  done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}
