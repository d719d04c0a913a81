/** @file Other versions of Node than the one that runs this, as packages of npm's registry carry them; each in `.cache/node/VERSION`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPackage, makeFolder } from './cachedPackage.js';
import { root } from './root.js';

/** @typedef {{ version: string, sha512: Readonly<Record<string, string>> }} NodeVersion `sha512`: of the packages, by platform */

/** The newest of their lines that the registry has for these platforms. @satisfies {Record<string, NodeVersion>} */
export const nodeVersions = {
  22: {
    version: '22.23.5',
    sha512: {
      'linux-x64': '3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
      'linux-arm64': 'e1LOUGKVruPGuLVutn8+Cgm5pI1APm4Kvh+zbb/qe/ZpD9s+TQby5iUgZOWmPpbSKpj0Td8DP1N0NEnXasHizg==',
    },
  },
  24: {
    version: '24.22.3',
    sha512: {
      'linux-x64': 'KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
      'linux-arm64': 'IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
    },
  },
};

const platform = `${process.platform}-${process.arch}`;

/** @param {NodeVersion} wanted @returns {string} the path that its executable has when it is there */
export function nodeExecutable({ version }) {
  return join(root, '.cache', 'node', version, 'package', 'bin', 'node');
}

/**
 * @param {NodeVersion} wanted
 * @returns {import('./needs.js').Need} about 50 MB to download, 120 MB on disk
 */
export function otherNode(wanted) {
  const { version, sha512 } = wanted;
  return {
    doing: `Installing Node ${version} in ${join(root, '.cache', 'node')}`,
    isMissing() {
      if (platform in sha512) return !existsSync(nodeExecutable(wanted));
      throw new Error(
        `Node ${version} is fetched for ${Object.keys(sha512).join(' and ')} alone, not for ${platform}.`,
      );
    },
    bring: () =>
      makeFolder(join(root, '.cache', 'node', version), (folder) =>
        fetchPackage(folder, { name: `node-${platform}`, version, sha512: sha512[platform] }, ['package/bin/node']),
      ),
  };
}
