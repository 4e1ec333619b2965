/** How the goods page is laid out: as high as the frame leaves it, and the table has the rest. */
import { css } from "lit";

export const PAGE_LOOK = css`
  :host {
    display: flex;
    flex-direction: column;
    gap: 12px;
    height: 100%;
    min-height: 420px;
  }
  hf-goods-table {
    flex: 1;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
  }
  .modes {
    display: inline-flex;
  }
  .modes button {
    border-radius: 0;
    margin-left: -1px;
  }
  .modes button:first-child {
    border-radius: var(--radius) 0 0 var(--radius);
  }
  .modes button:last-child {
    border-radius: 0 var(--radius) var(--radius) 0;
  }
  .modes button[aria-pressed="true"] {
    background: var(--selected);
  }
  .state {
    flex: 1;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 8px;
    text-align: center;
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: 8px;
    padding: 24px;
  }
  .keys {
    font-size: 12px;
  }
  @media (max-width: 720px) {
    .keys {
      display: none;
    }
  }
`;
