/** @file What one dashboard's page is told, from when it is loaded until it is closed. Knows nothing of VS Code. */
import {
  MOST_SHOWN,
  type DashboardPlace,
  type DashboardTab,
  type FromDashboard,
  type RunKey,
  type RunSummary,
  type ToDashboard,
} from '../../server/protocol/wire/dashboard.ts';
import { RunFeed, type FeedOptions } from './runFeed.ts';

/** The page, in a view or a panel. */
export interface DashboardPage {
  readonly visible: boolean;
  post(message: ToDashboard): void;
}

/** What a page can ask of the extension, apart from runs. */
export type DashboardRequest = Extract<
  FromDashboard,
  { type: 'command' | 'revealLayer' | 'revealExport' | 'save' | 'error' }
>;

export interface DashboardServices {
  /** True if the path is that of a run of this workspace. A page must not make the extension read anything else. */
  isRun(key: RunKey): boolean;
  /** Why nothing can be run; undefined where it can. */
  restriction(): string | undefined;
  readonly load: FeedOptions['load'];
  readonly connect: FeedOptions['connect'];
  /** In words for the user. */
  describeProblem(run: RunKey, problem: unknown): { message: string; remedy?: string };
  perform(request: DashboardRequest): void;
}

/**
 * Sends only while the page is visible. What a page that was hidden has missed, it gets when it is visible again; a page
 * that was loaded again says `ready`, and gets everything.
 */
export class DashboardSession {
  readonly #page: DashboardPage;
  readonly #services: DashboardServices;
  readonly #feeds = new Map<RunKey, RunFeed>();
  #shown: readonly RunKey[] | undefined;
  #tab: DashboardTab | undefined;
  #elsewhere = false;
  /** True if the page may remember other runs to show than the newest: one that is restored, or that was there before. */
  readonly #remembers: boolean;
  /** What the page gets once it is ready; undefined from then on. A run is read while the page is being loaded. */
  #outbox: ToDashboard[] | undefined = [];
  /** Undefined until the workspace has been searched. */
  #runs: readonly RunSummary[] | undefined;
  #withoutExperiment = false;
  #runsSent = '';
  #disposed = false;

  constructor(page: DashboardPage, services: DashboardServices, { remembers = true } = {}) {
    this.#page = page;
    this.#services = services;
    this.#remembers = remembers;
  }

  /** The runs that are shown; the first is the one whose weights are seen. */
  get shown(): readonly RunKey[] {
    return this.#shown ?? [];
  }

  /** The tab that is open; undefined until the page has told. */
  get tab(): DashboardTab | undefined {
    return this.#tab;
  }

  /** True while another page is the dashboard: this one shows no run, and reads none. */
  set elsewhere(elsewhere: boolean) {
    if (elsewhere === this.#elsewhere) return;
    this.#elsewhere = elsewhere;
    this.#post({ type: 'elsewhere', elsewhere });
    this.#followSeen();
  }

  /** Shows other runs, the first {@link MOST_SHOWN} of them, at a place where one is given. */
  show(runs: readonly RunKey[], at?: DashboardPlace): void {
    // A page that asks for more shows them already: it is told again.
    if (runs.length > MOST_SHOWN) this.#runsSent = '';
    this.#shown = shownOf(runs);
    this.#update();
    if (at) this.#post({ type: 'openTab', ...at });
  }

  /** Runs have been deleted: the others that are shown stay, or else the newest one is shown. Call before {@link setRuns}. */
  forget(runs: readonly RunKey[]): void {
    this.#shown = this.#shown?.filter((key) => !runs.includes(key));
  }

  receive(message: FromDashboard): void {
    switch (message.type) {
      case 'ready':
        this.#pageIsReady(message.shown);
        return;
      case 'show':
        this.show(this.#permitted(message.runs));
        return;
      case 'tab':
        this.#tab = message.tab;
        return;
      default:
        if ('run' in message && message.run !== undefined && !this.#services.isRun(message.run)) return;
        this.#services.perform(message);
    }
  }

  /** The page was hidden or came back. */
  visibilityChanged(): void {
    this.#followSeen();
  }

  /**
   * Runs have come, gone or changed, or the workspace is now trusted.
   * @param runs those that a page can choose from, newest first, and the shown ones
   */
  setRuns(runs: readonly RunSummary[], { withoutExperiment = false } = {}): void {
    this.#runs = runs;
    this.#withoutExperiment = withoutExperiment;
    for (const feed of this.#feeds.values()) feed.wake();
    this.#update();
  }

  dispose(): void {
    this.#disposed = true;
    this.#dropFeeds(() => true);
  }

  /** True while a user can see runs on the page. */
  get #isSeen(): boolean {
    return this.#page.visible && !this.#elsewhere;
  }

  /** Follows the shown runs while they are seen, and no longer. */
  #followSeen(): void {
    if (this.#isSeen) this.#update();
    else for (const feed of this.#feeds.values()) feed.stop();
  }

  #pageIsReady(remembered: readonly RunKey[] | undefined): void {
    this.#shown ??= remembered && shownOf(this.#permitted(remembered));
    if (this.#outbox) {
      const messages = this.#outbox;
      this.#outbox = undefined;
      for (const message of messages) this.#page.post(message);
    } else {
      // It was loaded again, and has nothing.
      this.#runsSent = '';
      this.#dropFeeds(() => true);
      if (this.#elsewhere) this.#post({ type: 'elsewhere', elsewhere: true });
    }
    this.#update();
  }

  #post(message: ToDashboard): void {
    if (!this.#outbox) this.#page.post(message);
    else if (message.type !== 'loading') this.#outbox.push(message);
  }

  #update(): void {
    const runs = this.#runs;
    if (this.#disposed || !this.#isSeen || !runs) return;
    if (this.#outbox && this.#remembers && !this.#shown) return;
    // The newest run is shown as long as none was chosen, also one that comes later.
    if (this.shown.length === 0 && runs.length > 0) this.#shown = [runs[0].key];
    // First of all: a page takes nothing of a run that it was not told to show.
    this.#sendRuns(runs);
    this.#dropFeeds((key) => !this.shown.includes(key));
    for (const key of this.shown) {
      let feed = this.#feeds.get(key);
      if (!feed) this.#feeds.set(key, (feed = this.#createFeed(key)));
      feed.start();
    }
  }

  #sendRuns(runs: readonly RunSummary[]): void {
    const reason = this.#services.restriction();
    const messages: ToDashboard[] = [
      { type: 'runs', runs, shown: this.shown, ...(this.#withoutExperiment && { withoutExperiment: true }) },
      { type: 'restricted', ...(reason !== undefined && { reason }) },
    ];
    const text = JSON.stringify(messages);
    if (text === this.#runsSent) return;
    this.#runsSent = text;
    for (const message of messages) this.#post(message);
  }

  #createFeed(key: RunKey): RunFeed {
    return new RunFeed(key, {
      load: this.#services.load,
      connect: this.#services.connect,
      send: (message) => this.#post(message),
      onProblem: (problem) =>
        this.#post({ type: 'problem', run: key, ...this.#services.describeProblem(key, problem) }),
    });
  }

  #dropFeeds(condition: (key: RunKey) => boolean): void {
    for (const [key, feed] of this.#feeds) {
      if (!condition(key)) continue;
      feed.stop();
      this.#feeds.delete(key);
    }
  }

  #permitted(keys: readonly RunKey[]): RunKey[] {
    return keys.filter((key) => this.#services.isRun(key));
  }
}

/** The first {@link MOST_SHOWN} of the runs that are asked for, each once. */
function shownOf(runs: readonly RunKey[]): RunKey[] {
  return [...new Set(runs)].slice(0, MOST_SHOWN);
}
