/**
 * @file The one place that imports the webview toolkit, which no longer changes. Only what is used is registered. The three
 * components of it whose templates carry inline styles (badge, progress ring with a value, data grid) are not.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
} from '@vscode/webview-ui-toolkit';
import type { Button, Checkbox, Dropdown } from '@vscode/webview-ui-toolkit';

export type { Button, Checkbox, Dropdown };

export function registerControls(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeDropdown(), vsCodeOption());
}
