/** @file The oldest Node that runs DeepTwist, and what the user of an older one is told. Uses nothing that an old Node lacks. */
import { UserError } from './userError.ts';

/** As `engines.node` of package.json. */
export const OLDEST_NODE = '20.19.0';

/** What to do where the setting of the editor names an executable that cannot be used. */
export const NODE_PATH_REMEDY = `Correct the setting deeptwist.node.path: the path of Node ${OLDEST_NODE} or newer, or nothing for that of VS Code.`;

/**
 * @param version such as `18.20.8` or `v18.20.8`
 * @param executable path of this Node
 * @param options.isSetting whether the setting of the editor may have chosen it
 * @returns undefined where the version is new enough
 */
export function oldNodeError(
  version: string,
  executable: string,
  options: { isSetting: boolean },
): UserError | undefined {
  const own = numbers(version);
  const oldest = numbers(OLDEST_NODE);
  const different = oldest.findIndex((number, place) => number !== own[place]);
  if (different === -1 || own[different] > oldest[different]) return undefined;
  return new UserError(
    `DeepTwist needs Node ${OLDEST_NODE} or newer; this is ${version.replace(/^v/, '')} (${executable}).`,
    { remedy: options.isSetting ? NODE_PATH_REMEDY : `Install Node ${OLDEST_NODE} or newer from https://nodejs.org.` },
  );
}

function numbers(version: string): number[] {
  return version.replace(/^v/, '').split('.').map(Number);
}
