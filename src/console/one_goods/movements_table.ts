/** Rows of the ledger as a table. */
import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit-html/directives/repeat.js";
import { type ListedMovement, MovementKind } from "../../gen/inventory/v1/query_pb.ts";
import { orderAddress } from "../orders/orders_url.ts";
import { formats } from "../parts/speech.ts";
import { language, wordsOf } from "../words/language.ts";
import * as LEDGER from "../words/ledger.ts";
import * as ONE_GOODS from "../words/one_goods.ts";
import { writtenMs } from "./level_reader.ts";

/** How it looks. */
export const MOVEMENTS_LOOK = css`
  .document {
    display: inline-block;
    max-width: 240px;
    overflow: hidden;
    text-overflow: ellipsis;
    vertical-align: bottom;
  }
  .up {
    color: var(--good);
  }
  .down {
    color: var(--bad);
  }
`;

/** A kind in the words of a shop. */
export function kindText(kind: MovementKind): string {
  const name = (MovementKind[kind] ?? "").toLowerCase();
  const { kinds } = LEDGER[language()];
  return kinds[name as keyof typeof kinds] ?? name;
}

/** The table; with `names`, SKUs by goods id, each row says of which goods it is. */
export function movementsTable(
  rows: readonly ListedMovement[],
  names?: ReadonlyMap<number, string>,
): TemplateResult {
  const places = names !== undefined;
  const words = wordsOf(ONE_GOODS);
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label=${words.history}>
      <table>
        <thead>
          <tr>
            <th scope="col">${words.at}</th>
            ${places ? html`<th scope="col">${words.place}</th>` : nothing}
            <th scope="col">${words.kind}</th>
            <th scope="col" class="num">${words.change}</th>
            <th scope="col" class="num">${words.reservedChange}</th>
            <th scope="col" class="num">${words.afterwards}</th>
            <th scope="col">${words.who}</th>
            <th scope="col">${words.reason}</th>
            ${places ? nothing : html`<th scope="col">${words.order}</th>`}
          </tr>
        </thead>
        <tbody>
          ${repeat(rows, keyOf, (row) => movementRow(row, names))}
        </tbody>
      </table>
    </div>
  `;
}

/** A row stays the same one wherever newer ones push it. */
function keyOf({ goodsId, locationId, version }: ListedMovement): string {
  return `${goodsId} ${locationId} ${version}`;
}

function movementRow(row: ListedMovement, names: ReadonlyMap<number, string> | undefined): TemplateResult {
  const words = wordsOf(ONE_GOODS);
  const places = names !== undefined;
  const { number, signed, time } = formats();
  const happened = row.occurredAt === undefined ? undefined : time(writtenMs({ at: row.occurredAt }));
  const delta = (value: number) =>
    html`<td class="num ${value > 0 ? "up" : value < 0 ? "down" : "muted"}">${signed(value)}</td>`;
  return html`
    <tr data-version=${row.version}>
      <td>
        ${time(writtenMs(row))}${happened === undefined
          ? nothing
          : html`<br><span class="muted">${words.happened(happened)}</span>`}
      </td>
      ${places
        ? html`
          <td>
            <a href="/goods/${row.goodsId}?location=${row.locationId}">${names.get(row.goodsId) ??
              words.goods(row.goodsId)}</a>${row.locationId === 0 ? nothing : html`
              <span class="muted">${words.atLocation(row.locationId)}</span>
            `}
          </td>
        `
        : nothing}
      <td>${kindText(row.kind)}</td>
      ${delta(row.onHandDelta)} ${delta(row.reservedDelta)}
      <td class="num">
        ${number(row.onHandAfter)}${row.reservedAfter === 0 ? nothing : html`
          <span class="muted">(${number(row.reservedAfter)})</span>
        `}
      </td>
      <td>${row.actor}</td>
      <td>
        ${row.reason}${row.documentUri === ""
          ? nothing
          : html`<br><span class="mono document" title=${row.documentUri}>${documentOf(row.documentUri)}</span>`}
      </td>
      ${places ? nothing : html`
        <td class="mono">
          ${row.orderId === ""
            ? html`<span class="muted">${row.operationId}</span>`
            : html`<a href=${orderAddress(row.orderId)}>${row.orderId}</a>`}
        </td>
      `}
    </tr>
  `;
}

/** A link where it is one of the web; whatever else it is stays text. */
function documentOf(uri: string) {
  return /^https?:\/\//i.test(uri) ? html`<a href=${uri} target="_blank" rel="noopener noreferrer">${uri}</a>` : uri;
}
