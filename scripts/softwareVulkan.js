/** @file A Vulkan that needs no graphics processor: SwiftShader, which Chromium and Chrome bring with them on Linux. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath } from './execute.js';

const folders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome', '/opt/microsoft/msedge'];
const DRIVER = 'vk_swiftshader_icd.json';

/**
 * The environment in which a process finds it, which must be there when the process starts.
 * @returns {Record<string, string>} empty where there is none: a process then has the graphics processors of the machine
 */
export function softwareVulkan() {
  if (process.platform !== 'linux') return {};
  const browsers = findOnPath(['chromium', 'google-chrome', 'chrome', 'microsoft-edge']);
  const beside = browsers.map((path) => dirname(realpathSync(path)));
  const folder = [...beside, ...folders].find((path) => existsSync(join(path, DRIVER)));
  if (folder === undefined) return {};
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter((path) => path !== undefined);
  return { VK_ICD_FILENAMES: join(folder, DRIVER), LD_LIBRARY_PATH: libraries.join(':') };
}
