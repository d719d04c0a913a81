/** @file What a view of the dashboard is: a tab with something drawn from the page's state. */
import type { DashboardTab } from '../../server/protocol/wire/dashboard.ts';
import type { PageState } from '../state.ts';
import type { ViewContext } from '../viewContext.ts';

export interface View {
  readonly element: HTMLElement;
  /** Draws the state. Called only while the view is visible, at most once per animation frame. */
  update(state: PageState): void;
  /** Releases what the view holds: charts, observers, listeners outside of `element`. */
  dispose(): void;
}

export interface ViewType {
  /** Also the name under which its state is remembered. */
  readonly id: DashboardTab;
  readonly title: string;
  /** Called when the tab is opened; the view is disposed when another one is. */
  create(context: ViewContext): View;
  /** Chooses the weight that a view shows which is created after that. */
  choose?(context: ViewContext, weight: string): void;
}
