import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../../scripts/root.js';
import { TORCH_EXPORT, torchExportScript } from '../../../../server/protocol/model/exportFromPython.ts';

it('the call that exports from PyTorch is that of the documents', () => {
  expect(readFileSync(join(root, 'docs', 'importing.md'), 'utf8')).toContain(TORCH_EXPORT);
});

it('the script names the class and the module of the user', () => {
  const script = torchExportScript({ module: 'nets.small', className: 'SmallNet' });
  expect(script).toContain('from nets.small import SmallNet\n');
  expect(script).toContain('model = SmallNet()\n');
  expect(script).toContain(TORCH_EXPORT);
  expect(torchExportScript()).toContain('from net import Net  # your model\n');
});
