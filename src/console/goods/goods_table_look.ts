/** How the table looks: rows of one height, of which nothing can move anything outside of it. */
import { css } from "lit";

/** Heights in CSS pixels, which the table counts with too. */
export const ROW_HEIGHT = 36;
export const CARD_HEIGHT = 76;
export const HEAD_HEIGHT = 36;
/** Cards up to this width of the window. */
export const CARDS = "(max-width: 720px)";

export const TABLE_LOOK = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    position: relative;
  }
  .scroller {
    flex: 1;
    min-height: 0;
    overflow: auto;
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: 8px;
    overscroll-behavior: contain;
    contain: strict;
    overflow-anchor: none;
  }
  .head {
    position: sticky;
    top: 0;
    z-index: 1;
    height: 36px;
    background: var(--raised);
    border-bottom: 1px solid var(--line);
    color: var(--muted);
    font-size: 12px;
  }
  .head,
  .row {
    display: grid;
    align-items: center;
    gap: 0;
    min-width: 780px;
    padding: 0 8px;
  }
  .head.view,
  .window.view .row {
    grid-template-columns: minmax(120px, 2fr) 80px 72px repeat(4, minmax(72px, 1fr)) minmax(84px, 1.4fr) minmax(
      120px,
      1.2fr
    );
  }
  .head.edit,
  .window.edit .row {
    grid-template-columns: 36px minmax(140px, 2fr) 76px repeat(3, minmax(76px, 0.8fr)) 116px minmax(190px, 1.2fr) minmax(
      220px,
      2.4fr
    );
  }
  .head.count,
  .window.count .row {
    grid-template-columns: 36px minmax(140px, 2fr) 76px minmax(84px, 1fr) 116px minmax(190px, 1.2fr) minmax(220px, 2.4fr);
  }
  .spacer {
    position: relative;
    min-width: 780px;
  }
  /* As wide as the columns are at least: a row clips what is beyond it. */
  @media (min-width: 721px) {
    .edit,
    .edit .row {
      min-width: 1024px;
    }
    .count,
    .count .row {
      min-width: 880px;
    }
  }
  .window {
    position: absolute;
    inset: 0 0 auto 0;
    contain: layout style;
  }
  .row {
    height: 36px;
    border-bottom: 1px solid var(--line);
    contain: strict;
    position: relative;
  }
  .row:hover {
    background: var(--hover);
  }
  .row[aria-selected="true"] {
    background: var(--selected);
  }
  .row.gone .name,
  .row.strange .cell {
    opacity: 0.72;
  }
  .row.strange {
    background: repeating-linear-gradient(135deg, transparent 0 8px, var(--hover) 8px 9px);
  }
  .row[data-state="conflict"],
  .row[data-state="refused"] {
    box-shadow: inset 3px 0 0 var(--bad);
  }
  .row[data-state="applied"] {
    box-shadow: inset 3px 0 0 var(--good);
  }
  .row[data-state="open"],
  .row[data-state="sending"] {
    box-shadow: inset 3px 0 0 var(--accent);
  }
  .row[data-state="unknown"] {
    box-shadow: inset 3px 0 0 var(--warn);
  }
  .cell {
    padding: 0 8px;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    line-height: 32px;
  }
  .cell:focus-visible,
  .head button:focus-visible {
    outline-offset: -2px;
  }
  .cell.state {
    text-align: left;
  }
  .cell.available {
    font-weight: 600;
  }
  .cell.name a {
    color: var(--text);
    font-weight: 500;
  }
  .cell.changed,
  .cell.id,
  .cell.location {
    color: var(--muted);
  }
  .cell.entry {
    padding: 0 4px;
  }
  .cell.entry input:focus-visible {
    outline-offset: -2px;
  }
  .cell.entry input {
    width: 100%;
    min-height: 28px;
    padding: 0 8px;
  }
  .cell.verdict {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .cell.verdict > button {
    flex: none;
  }
  .cell.verdict > .badge,
  .cell.verdict > .said {
    display: block;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .cell .said {
    color: var(--bad);
    font-size: 12px;
  }
  .cell button {
    vertical-align: middle;
  }
  .blank {
    display: inline-block;
    width: 60%;
    height: 8px;
    border-radius: 4px;
    background: var(--hover);
  }
  .head button {
    all: unset;
    box-sizing: border-box;
    width: 100%;
    cursor: pointer;
    line-height: 35px;
    border-radius: var(--radius);
  }
  .head button:hover {
    color: var(--text);
  }
  .head button:focus-visible {
    outline: 2px solid var(--focus);
  }
  .head [aria-sort="ascending"] button::after {
    content: " ↑";
  }
  .head [aria-sort="descending"] button::after {
    content: " ↓";
  }
  .row[data-flash="a"] {
    animation: flash-a 1.2s ease-out;
  }
  .row[data-flash="b"] {
    animation: flash-b 1.2s ease-out;
  }
  @keyframes flash-a {
    from {
      background-color: var(--changed);
    }
  }
  @keyframes flash-b {
    from {
      background-color: var(--changed);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .row[data-flash] {
      animation-timing-function: step-end;
    }
  }
`;
