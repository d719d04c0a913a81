/** @file Finds the desktop's VS Code. */
import { findOnPath } from '../execute.js';

/** @returns {string | undefined} its command line, where there is a desktop */
export function desktopCode() {
  const names = process.platform === 'win32' ? ['code.cmd'] : ['code'];
  if (
    process.platform === 'linux' &&
    !process.env.DISPLAY &&
    !process.env.WAYLAND_DISPLAY &&
    !process.env.WSL_DISTRO_NAME
  )
    return undefined;
  return findOnPath(names)[0];
}
