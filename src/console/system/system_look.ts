/** How the page of the system looks. */
import { css } from "lit";

export const SYSTEM_LOOK = css`
  :host {
    display: grid;
    gap: 16px;
  }
  .figures {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
    gap: 1px;
    padding: 0;
    overflow: hidden;
    background: var(--line);
  }
  .figure {
    padding: 12px 16px;
    background: var(--raised);
  }
  .figure dt {
    color: var(--muted);
    font-size: 12px;
  }
  .figure dd {
    margin: 0;
    font-size: 20px;
    line-height: 28px;
    font-variant-numeric: tabular-nums;
  }
  dl {
    margin: 0;
  }
  .charts,
  .two {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr));
    gap: 16px;
  }
  section {
    min-width: 0;
    display: grid;
    gap: 8px;
    align-content: start;
  }
  td,
  th[scope="row"] {
    white-space: nowrap;
  }
  th[scope="row"] {
    color: var(--text);
    font-weight: 400;
  }
`;
