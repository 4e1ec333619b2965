/** How the rows of the table look on a phone: cards of one height. */
import { css } from "lit";

export const CARDS_LOOK = css`
  @media (max-width: 720px) {
    .head {
      display: none;
    }
    .head,
    .row,
    .spacer {
      min-width: 0;
    }
    .row {
      height: 76px;
      padding: 6px 4px;
      align-items: center;
    }
    .label {
      color: var(--muted);
      font-weight: 400;
    }
    .cell {
      line-height: 20px;
      text-align: left;
      font-size: 12px;
    }
    .cell.name {
      font-size: 15px;
    }
    .cell.available {
      font-size: 14px;
    }
    .cell.id,
    .cell.safety {
      display: none;
    }
    .window.view .row {
      grid-template:
        "name name state" 26px
        "available reserved on_hand" 20px
        "changed changed location" 18px / 1fr 1fr 1fr;
    }
    .window.edit .row,
    .window.count .row {
      grid-template:
        "select name entry" 32px
        "select available difference" 16px
        "select verdict verdict" 20px / 32px 1fr minmax(110px, 1.2fr);
    }
    .window.count .cell.available,
    .window.edit .cell.on_hand,
    .window.edit .cell.reserved,
    .window.edit .cell.location,
    .window.count .cell.location {
      display: none;
    }
    .cell.select {
      grid-area: select;
    }
    .cell.name {
      grid-area: name;
    }
    .cell.state {
      grid-area: state;
      text-align: right;
    }
    .cell.available {
      grid-area: available;
    }
    .cell.reserved {
      grid-area: reserved;
    }
    .cell.on_hand {
      grid-area: on_hand;
    }
    .window.count .cell.on_hand {
      grid-area: available;
    }
    .cell.changed {
      grid-area: changed;
    }
    .cell.location {
      grid-area: location;
      text-align: right;
    }
    .cell.location::before {
      content: "@ ";
    }
    .cell.entry {
      grid-area: entry;
    }
    .cell.difference {
      grid-area: difference;
      text-align: right;
    }
    .cell.verdict {
      grid-area: verdict;
    }
  }
`;
