import { test } from 'vitest';
import { EditorSession, EXPERIMENT } from '/work/main/test/e2e/editorSession.ts';
import { openFile, runCommand } from '/work/main/scripts/editor/workbench.js';
test('x', async () => {
  for (const trust of [false, true]) {
  const session = await EditorSession.open({ trust });
  const page = await session.window();
  await openFile(page, EXPERIMENT);
  await runCommand(page, 'View: Focus Problems');
  await page.waitForTimeout(4000);
  await page.screenshot({ path: `/tmp/problems-${trust}.png` });
  console.log(await page.locator('.markers-panel').innerText());
  if (!trust) {
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget input.input').fill('>DeepTwist');
    await page.waitForTimeout(1000);
    console.log(await page.locator('.quick-input-list').innerText());
  }
  await session.dispose();
  }
}, 120000);
