/** Search, filters and sort of the list, as they stand in the URL. */
import { css, html, nothing } from "lit";
import { live } from "lit-html/directives/live.js";
import { ConsoleElement } from "../parts/console_element.ts";
import { LOOK } from "../parts/look.ts";
import * as GOODS from "../words/goods.ts";
import { wordsOf } from "../words/language.ts";
import { DELETED, isFiltered, type ListState, readListState, readLocations, SORTS } from "./list_state.ts";

/** A search begins so long after the latest key. */
const TYPING_MS = 200;
const SINCES = ["1h", "24h", "7d", "30d"];

/** `<hf-goods-filters>`. A `state` event says what is to be shown, and whether it replaces the URL of now. */
export class GoodsFilters extends ConsoleElement {
  static override properties = { state: { attribute: false } };
  static override styles = [
    LOOK,
    css`
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 12px;
        align-items: center;
      }
      .search {
        flex: 1 1 120px;
        max-width: 320px;
      }
      .search input {
        width: 100%;
      }
      label {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        white-space: nowrap;
      }
      .locations {
        width: 110px;
      }
      .sort {
        display: none;
      }
      @media (max-width: 720px) {
        .sort {
          display: inline-flex;
        }
        form {
          flex-wrap: nowrap;
          overflow-x: auto;
          padding: 2px;
        }
        .search {
          flex: 0 0 150px;
        }
      }
    `,
  ];

  declare state: ListState;
  #timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  /** Puts the cursor into the search. */
  focusSearch(): void {
    this.renderRoot.querySelector<HTMLInputElement>("input[type=search]")?.select();
    this.renderRoot.querySelector<HTMLInputElement>("input[type=search]")?.focus();
  }

  override render() {
    const words = wordsOf(GOODS);
    const { state } = this;
    const since = state.since !== undefined && !SINCES.includes(state.since) ? [...SINCES, state.since] : SINCES;
    return html`
      <form role="search" aria-label=${words.filters} @submit=${this.#submitted}>
        <label class="search">
          <span class="visually-hidden">${words.search}</span>
          <input
            type="search"
            maxlength="64"
            autocomplete="off"
            spellcheck="false"
            placeholder=${words.searchHint}
            .value=${live(this.#searchText())}
            @input=${this.#searched}
          >
        </label>
        ${this.#tick("isLow", words.low)} ${this.#tick("isSoldOut", words.soldOut)} ${this.#tick(
          "hasHolds",
          words.hasHolds,
        )}
        <label>
          <span>${words.changedSince}</span>
          <select @change=${this.#sinceChosen}>
            <option value="" ?selected=${state.since === undefined}>${words.anyTime}</option>
            ${since.map((each) =>
              html`<option value=${each} ?selected=${state.since === each}>${
                words.since[each] ?? words.sinceOther(each)
              }</option>`
            )}
          </select>
        </label>
        <label>
          <span>${words.locations}</span>
          <input
            class="locations"
            inputmode="numeric"
            autocomplete="off"
            placeholder=${words.locationsHint}
            .value=${live(state.locationIds.join(", "))}
            @change=${(event: Event) => this.#show({ locationIds: readLocations(valueOf(event)) })}
          >
        </label>
        <label>
          <span>${words.deleted}</span>
          <select @change=${(event: Event) => this.#show({ deleted: DELETED.find((one) => one === valueOf(event))! })}>
            ${DELETED.map((each) =>
              html`<option value=${each} ?selected=${state.deleted === each}>${words.deletedChoices[each]}</option>`
            )}
          </select>
        </label>
        <label class="sort">
          <span>${words.sortBy}</span>
          <select @change=${this.#sorted}>
            ${SORTS.flatMap((sort) =>
              [false, true].map((isDescending) =>
                html`
                  <option
                    value="${isDescending ? "-" : ""}${sort}"
                    ?selected=${state.sort === sort && state.isDescending === isDescending}
                  >${words.sorts[sort]}, ${isDescending ? words.descending : words.ascending}</option>
                `
              )
            )}
          </select>
        </label>
        ${isFiltered(state)
          ? html`<button type="button" class="quiet" @click=${this.#cleared}>${words.clearFilters}</button>`
          : nothing}
      </form>
    `;
  }

  /** What is typed stays as it is, with the space behind which somebody pauses, while it says what is searched for. */
  #searchText(): string {
    const typed = this.renderRoot.querySelector<HTMLInputElement>("input[type=search]")?.value ?? "";
    return typed.trim() === this.state.search ? typed : this.state.search;
  }

  #tick(name: "isLow" | "isSoldOut" | "hasHolds", label: string) {
    return html`<label><input
      type="checkbox"
      .checked=${live(this.state[name])}
      @change=${(event: Event) => this.#show({ [name]: (event.target as HTMLInputElement).checked })}
    >${label}</label>`;
  }

  /** While somebody types, the URL is that of one search. */
  readonly #searched = (event: Event) => {
    const search = valueOf(event).trim();
    clearTimeout(this.#timer);
    const replace = this.state.search !== "";
    this.#timer = setTimeout(() => this.#show({ search }, replace), TYPING_MS);
  };

  readonly #submitted = (event: Event) => {
    event.preventDefault();
    clearTimeout(this.#timer);
    const search = this.renderRoot.querySelector<HTMLInputElement>("input[type=search]")!.value.trim();
    if (search !== this.state.search) this.#show({ search });
  };

  readonly #sorted = (event: Event) => {
    const value = valueOf(event);
    const sort = SORTS.find((one) => one === value.replace(/^-/, ""))!;
    this.#show({ sort, isDescending: value.startsWith("-") });
  };

  readonly #cleared = () => {
    clearTimeout(this.#timer);
    const { mode } = this.state;
    this.#show({ ...readListState(new URLSearchParams()), mode });
  };

  /** The sort goes with this filter, which has one of its own. */
  readonly #sinceChosen = (event: Event) => {
    const since = valueOf(event);
    const { sort, isDescending } = readListState(new URLSearchParams({ since }));
    this.#show({ since: since === "" ? undefined : since, sort, isDescending });
  };

  #show(change: Partial<ListState>, replace = false): void {
    this.dispatchEvent(new CustomEvent("state", { detail: { state: { ...this.state, ...change }, replace } }));
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLInputElement | HTMLSelectElement).value;
}

customElements.define("hf-goods-filters", GoodsFilters);
