/** @file What a view of the dashboard is: a tab with something drawn from the page's state. */
import type { FromDashboard } from '../../server/protocol/dashboard.ts';
import type { PageState } from '../state.ts';

/** A value of the view state: it is there again after a tab switch, a reload and a restart of the window. */
export interface Remembered<T> {
  get(): T;
  set(value: T): void;
}

/** What the page gives to a view. */
export interface ViewContext {
  send(message: FromDashboard): void;
  /**
   * A value that VS Code keeps. `name` is the view's own; `isValid` guards against what an older version has stored.
   */
  remember<T>(name: string, initial: T, isValid: (value: unknown) => value is T): Remembered<T>;
}

export interface View {
  readonly element: HTMLElement;
  /** Draws the state. Called only while the view is visible, at most once per animation frame. */
  update(state: PageState): void;
  /** Releases what the view holds: charts, observers, listeners outside of `element`. */
  dispose(): void;
}

export interface ViewType {
  /** Also the name under which its state is remembered. */
  readonly id: string;
  readonly title: string;
  /** Called when the tab is opened; the view is disposed when another one is. */
  create(context: ViewContext): View;
  /** Chooses the weight that a view shows which is created after that. */
  choose?(context: ViewContext, weight: string): void;
}
