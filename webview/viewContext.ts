/** @file What the page gives to views and charts: messages to the extension, and values that VS Code keeps. */
import type { DashboardPlace, FromDashboard } from '../server/protocol/wire/dashboard.ts';
import type { FromPage } from '../server/protocol/wire/page.ts';

/** A value of the view state: it is there again after a tab switch, a reload and a restart of the window. */
export interface Remembered<T> {
  get(): T;
  set(value: T): void;
}

/** What a chart needs of its page. */
export interface ChartContext {
  send(message: FromPage): void;
  /**
   * A value that VS Code keeps.
   * @param name unique within the view
   * @param isValid guards against what an older version has stored
   */
  remember<T>(name: string, initial: T, isValid: (value: unknown) => value is T): Remembered<T>;
}

export interface ViewContext extends ChartContext {
  send(message: FromDashboard): void;
  /** Opens another view of the page. */
  open(place: DashboardPlace): void;
}
