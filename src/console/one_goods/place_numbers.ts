/** Where a place stands, in numbers. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { css, html, nothing, type TemplateResult } from "lit";
import type { ListedLevel } from "../../gen/inventory/v1/query_pb.ts";
import { formats } from "../parts/speech.ts";
import { wordsOf } from "../words/language.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { type PlaceKnown, standOf } from "./place.ts";
import { availableOf, sellableOf } from "./preview.ts";

/** How they look. */
export const NUMBERS_LOOK = css`
  .numbers {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(120px, 1fr));
    gap: 12px 24px;
    margin: 0;
  }
  dt {
    color: var(--muted);
    font-size: 12px;
  }
  dd {
    margin: 0;
    font-size: 20px;
    line-height: 28px;
    font-variant-numeric: tabular-nums;
  }
  dd.main {
    font-weight: 600;
  }
`;

/** Whether it is sold, and whether there is enough of it. */
export function placeBadge(level: ListedLevel): TemplateResult {
  const words = wordsOf(ONE_GOODS);
  if (level.deletedAt !== undefined) return html`<span class="badge">${words.deleted}</span>`;
  if (level.soldOut) return html`<span class="badge bad">${words.soldOut}</span>`;
  return level.low
    ? html`<span class="badge warn">${words.low}</span>`
    : html`<span class="badge good">${words.onSale}</span>`;
}

/** The numbers, how available comes of the others, and what can be done. */
export function placeNumbers(place: PlaceKnown, actions: TemplateResult): TemplateResult {
  const words = wordsOf(ONE_GOODS);
  const { number, time } = formats();
  const stand = standOf(place);
  const changedMs = place.level?.updatedAt === undefined ? undefined : timestampMs(place.level.updatedAt);
  const num = (value: number) => number(value);
  return html`
    <section class="card" aria-labelledby="numbers">
      <h2 id="numbers" class="visually-hidden">${words.numbers}</h2>
      <dl class="numbers">
        <div><dt>${words.available}</dt><dd class="main" id="available">${num(availableOf(stand))}</dd></div>
        <div><dt>${words.onHand}</dt><dd id="on-hand">${num(stand.onHand)}</dd></div>
        <div><dt>${words.reserved}</dt><dd id="reserved">${num(stand.reserved)}</dd></div>
        <div><dt>${words.safety}</dt><dd id="safety">${num(stand.safetyStock)}</dd></div>
      </dl>
      <p id="formula">
        ${words.formula(num(availableOf(stand)), num(stand.onHand), num(stand.reserved), num(stand.safetyStock))}
      </p>
      ${stand.backorderMax === 0 ? nothing : html`
        <p>${words.withBackorders(num(sellableOf(stand)), num(stand.backorderMax))}</p>
      `}
      <p class="muted">
        ${words.version} ${num(stand.version)}${changedMs === undefined ? nothing : html`
          · ${words.lastChange} <time datetime=${new Date(changedMs).toISOString()}>${time(changedMs)}</time>
        `}
      </p>
      ${actions}
    </section>
  `;
}
