/** @file The dashboard's page: header, notices, tabs and the view that is open. Draws at most once a frame. */
import * as l10n from '@vscode/l10n';
import type { DashboardPlace, FromDashboard, RunKey } from '../../server/protocol/wire/dashboard.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import { element } from '../element.ts';
import { parseMessage } from '../messages.ts';
import { isText } from '../messageShapes.ts';
import { DashboardState } from '../state.ts';
import type { View, ViewType } from '../views/view.ts';
import type { ViewContext } from '../viewContext.ts';
import type { ViewState } from '../viewState.ts';
import { createNotices } from './notices.ts';
import { createRunPicker } from './runPicker.ts';
import { createStateBar } from './stateBar.ts';
import { createTabs, type Tabs } from './tabs.ts';

export class DashboardPage {
  readonly #send: (message: FromDashboard) => void;
  readonly #viewState: ViewState;
  readonly #state = new DashboardState();
  readonly #panel = element('div', { role: 'tabpanel', id: 'view', class: 'view' });
  readonly #picker = createRunPicker((keys) => this.#show(keys));
  readonly #head: HTMLElement;
  readonly #stateBar = createStateBar((command, run) => this.#send({ type: 'command', command, run }));
  readonly #notices = createNotices(
    (command, run) => this.#send({ type: 'command', command, run }),
    () => {
      this.#state.dismissProblem();
      this.#schedule();
    },
  );
  readonly #views: readonly ViewType[];
  readonly #tabs: Tabs;
  #view: { readonly type: ViewType; readonly view: View } | undefined;
  #scheduled = false;

  constructor(
    root: HTMLElement,
    views: readonly ViewType[],
    viewState: ViewState,
    send: (message: FromDashboard) => void,
  ) {
    this.#send = send;
    this.#views = views;
    this.#viewState = viewState;
    const tab = viewState.remember('tab', views[0].id, isText);
    this.#tabs = createTabs(views, this.#panel, (type) => {
      tab.set(type.id);
      this.#open(type);
      this.#send({ type: 'tab', tab: type.id });
    });
    this.#head = element('header', { class: 'page-head' }, this.#picker.element, this.#stateBar.element);
    root.append(
      this.#head,
      element(
        'main',
        { class: 'page-main' },
        element('h1', { class: 'visually-hidden' }, l10n.t('DeepTwist Dashboard')),
        this.#tabs.element,
        element('div', { class: 'scroller' }, this.#notices.element, this.#panel),
      ),
    );
    this.#tabs.select(tab.get());
  }

  /** Takes a message of the extension; one of a wrong shape is reported and changes nothing. */
  receive(data: unknown): void {
    try {
      const message = parseMessage(data);
      if (!message) return;
      this.#state.apply(message);
      if (message.type === 'openTab') this.#openAt(message);
      if (message.type === 'runs') this.#viewState.shown = this.#state.shown;
    } catch (error) {
      this.#report(error);
    }
    this.#schedule();
  }

  #show(keys: readonly RunKey[]): void {
    this.#state.show(keys);
    this.#viewState.shown = keys;
    this.#send({ type: 'show', runs: keys });
    this.#schedule();
  }

  #open(type: ViewType): void {
    if (this.#view?.type === type) return;
    this.#view?.view.dispose();
    const view = type.create(this.#contextOf(type));
    this.#view = { type, view };
    this.#panel.replaceChildren(element('h2', { class: 'visually-hidden' }, type.title), view.element);
    this.#schedule();
  }

  #contextOf({ id }: ViewType): ViewContext {
    return {
      send: this.#send,
      open: (place) => this.#openAt(place),
      remember: (name, initial, isValid) => this.#viewState.remember(`${id}.${name}`, initial, isValid),
    };
  }

  #openAt(place: DashboardPlace): void {
    const type = this.#views.find(({ id }) => id === place.tab);
    if (type?.choose && 'weight' in place) {
      type.choose(this.#contextOf(type), place.weight);
      this.#view?.view.dispose();
      this.#view = undefined;
    }
    this.#tabs.select(place.tab);
  }

  /** Whatever arrives before the next frame is drawn together; a hidden page has no frames. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw(): void {
    try {
      const state = this.#state.snapshot();
      this.#picker.update(state);
      this.#stateBar.update(state);
      this.#notices.update(state);
      this.#head.hidden = state.elsewhere;
      const nothing = state.elsewhere || !state.shown.some(({ snapshot }) => snapshot);
      this.#tabs.element.hidden = nothing;
      this.#panel.hidden = nothing;
      if (!nothing) this.#view?.view.update(state);
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#send({ type: 'error', message: stackOf(error) });
  }
}
