/** The frame around the pages: where to go, whether it is live, who calls, and the page of the address. */
import { html, nothing, type PropertyValues } from "lit";
import { keyed } from "lit-html/directives/keyed.js";
import "../parts/toast.ts";
import "./help_dialog.ts";
import "./key_entry.ts";
import "./settings_menu.ts";
import { onKeyElsewhere } from "../link/credentials.ts";
import type { Link } from "../link/link.ts";
import type { LinkState } from "../link/stream_events.ts";
import { onAnnounced } from "../parts/announce.ts";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import { failed, loading } from "../parts/states.ts";
import { stepAside, stepBack } from "../parts/modal_dialogs.ts";
import type { PageElement } from "../parts/page_element.ts";
import { sayTrouble } from "../parts/speech.ts";
import { locale, wordsOf } from "../words/language.ts";
import * as SHELL from "../words/shell.ts";
import { FRAME_LOOK } from "./frame_look.ts";
import type { TypedKey } from "./key_entry.ts";
import { bringPage, isBrought } from "./pages.ts";
import type { PageName, Route } from "./route.ts";
import { currentRoute, followHistory, followLinks, onRoute } from "./router.ts";
import { Session, type SessionState } from "./session.ts";
import { listenForKeys } from "./shortcuts.ts";
import { followTheme } from "./theme.ts";

const PLACES = ["goods", "orders", "system"] as const;
const PLACE_OF: Readonly<Record<PageName, typeof PLACES[number]>> = {
  goods: "goods",
  one_goods: "goods",
  orders: "orders",
  order: "orders",
  system: "system",
};

/** `<hf-console>` */
export class ConsoleFrame extends ConsoleElement {
  static override properties = {
    route: { state: true },
    session: { state: true },
    stream: { state: true },
    said: { state: true },
    hasHelp: { state: true },
    missing: { state: true },
  };
  static override styles = [LOOK, FRAME_LOOK];

  declare route: Route;
  declare session: SessionState;
  declare stream: LinkState;
  /** What is read out. */
  declare said: string;
  declare hasHelp: boolean;
  /** Why the scripts of a page have not come. */
  declare missing: unknown;
  readonly #session: Session;
  #stopStream: (() => void) | undefined;

  constructor() {
    super();
    this.route = currentRoute();
    this.session = { kind: "opening" };
    this.stream = "connecting";
    this.said = "";
    this.hasHelp = false;
    this.missing = undefined;
    this.#session = new Session((state) => this.#sessionChanged(state));
  }

  override firstUpdated(): void {
    document.documentElement.lang = locale();
    followTheme();
    followHistory();
    followLinks(this.renderRoot);
    onRoute((route) => this.route = route);
    onAnnounced((text) => this.said = text);
    listenForKeys({ search: () => this.#page?.focusSearch(), help: () => this.hasHelp = true });
    onKeyElsewhere(() => void this.#session.open());
    void this.#session.open();
  }

  override updated(changed: PropertyValues): void {
    const before = changed.get("route") as Route | undefined;
    // Where the page is hidden still, nothing of it can have the focus.
    if (changed.has("session") && this.session.kind === "open") stepBack();
    document.title = `${wordsOf(SHELL)[PLACE_OF[this.route.page]]} · Holdfast`;
    if (before === undefined || before.page === this.route.page && before.id === this.route.id) return;
    const main = this.renderRoot.querySelector("main")!;
    main.focus({ preventScroll: true });
    main.scrollTop = 0;
  }

  get #page(): PageElement | null {
    return this.renderRoot.querySelector<PageElement>(".page");
  }

  #sessionChanged(state: SessionState): void {
    this.#stopStream?.();
    // Before whatever stands there instead of the page gets the focus.
    if (this.session.kind === "open" && state.kind !== "open") stepAside();
    this.session = state;
    this.stream = state.kind === "open" ? state.link.state : "connecting";
    this.#stopStream = state.kind === "open" ? state.link.onState((stream) => this.stream = stream) : undefined;
  }

  override render() {
    const words = wordsOf(SHELL);
    return html`
      <a class="skip" href="#main" @click=${this.#skip}>${words.skip}</a>
      <header>
        <a class="brand" href="/goods">Holdfast</a>
        <nav aria-label=${words.pages}>
          ${PLACES.map((place) =>
            html`<a href="/${place}" aria-current=${PLACE_OF[this.route.page] === place ? "page" : nothing}>${
              words[
                place
              ]
            }</a>`
          )}
        </nav>
        ${this.session.kind === "open" ? this.#live() : nothing}
        <hf-settings
          .caller=${this.session.kind === "open" ? this.session.link.caller : undefined}
          .hasKey=${this.#session.hasKey}
          @change-key=${() => this.#session.askForKey(false)}
          @sign-out=${() => this.#session.signOut()}
          @shortcuts=${() => this.hasHelp = true}
        ></hf-settings>
      </header>
      <div role="status">
        ${this.session.kind === "open" && this.stream === "away"
          ? html`<div class="banner">${words.awayBanner}</div>`
          : nothing}
      </div>
      <main id="main" tabindex="-1">${this.#kept()}${this.#content()}</main>
      <div class="visually-hidden" aria-live="polite">${this.said}</div>
      <hf-toasts></hf-toasts>
      ${this.hasHelp ? html`<hf-help @closed=${() => this.hasHelp = false}></hf-help>` : nothing}
    `;
  }

  #live() {
    const words = wordsOf(SHELL);
    const [text, style, hint] = this.stream === "live"
      ? [words.live, "live-on", words.liveHint]
      : this.stream === "connecting"
      ? [words.connecting, "", words.liveHint]
      : [words.away, "live-away", this.stream === "denied" ? words.deniedHint : words.awayBanner];
    return html`<span class="live ${style}" title=${hint}><span class="dot"></span>${text}</span>`;
  }

  #content() {
    const words = wordsOf(SHELL);
    switch (this.session.kind) {
      case "opening":
        return html`<p class="middle muted" role="status">${words.opening}</p>`;
      case "key":
        return html`<hf-key-entry .isRefused=${this.session.isRefused} @key=${this.#typed}></hf-key-entry>`;
      case "denied":
      case "unreachable":
        return this.#failed(this.session.error, this.session.kind === "unreachable");
      case "open":
        return nothing;
    }
  }

  /** The page, which is hidden while its link may be open again: what its reader has typed stays. */
  #kept() {
    const { link } = this.#session;
    // Another link is another reader: nothing of the one before is left on the page.
    return link === undefined ? nothing : keyed(link, this.#pageOf(link, this.session.kind !== "open"));
  }

  #failed(error: unknown, isTriedAgain: boolean) {
    const words = wordsOf(SHELL);
    const { text, lines } = sayTrouble(error);
    return html`
      <div class="middle" role="alert">
        <h1>${isTriedAgain ? words.unreachable : text}</h1>
        ${isTriedAgain
          ? html`<p class="muted">${words.unreachableHint}</p>`
          : lines.map((line) => html`<p>${line}</p>`)}
        <button @click=${() => this.#session.open()}>${words.again}</button>
      </div>
    `;
  }

  #pageOf(link: Link, isHidden: boolean) {
    const { route } = this;
    if (!isBrought(route.page)) return isHidden ? nothing : this.#bring(route.page);
    switch (route.page) {
      case "goods":
        return html`<hf-goods class="page" ?hidden=${isHidden} .link=${link} .route=${route}></hf-goods>`;
      case "one_goods":
        return html`<hf-one-goods class="page" ?hidden=${isHidden} .link=${link} .route=${route}></hf-one-goods>`;
      case "orders":
      case "order":
        return html`<hf-orders class="page" ?hidden=${isHidden} .link=${link} .route=${route}></hf-orders>`;
      case "system":
        return html`<hf-system class="page" ?hidden=${isHidden} .link=${link} .route=${route}></hf-system>`;
    }
  }

  /** What stands there until the page's scripts have come. */
  #bring(page: PageName) {
    if (this.missing !== undefined) return failed(this.missing, () => location.reload());
    bringPage(page).then(() => this.requestUpdate(), (error) => this.missing = error);
    return loading();
  }

  #typed = ({ detail: { key, remember } }: CustomEvent<TypedKey>) => this.#session.useKey(key, remember);

  #skip = (event: Event) => {
    event.preventDefault();
    this.renderRoot.querySelector("main")!.focus();
  };
}

customElements.define("hf-console", ConsoleFrame);
