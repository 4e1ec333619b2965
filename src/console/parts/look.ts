/** How parts look that every page has: buttons, fields, tables, notes. Their colours are those of `theme.css`. */
import { css } from "lit";

/** For `static styles = [LOOK, css\`...\`]`. */
export const LOOK = css`
  :host {
    display: block;
    color: var(--text);
    font: var(--font);
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1 {
    font-size: 20px;
    line-height: 28px;
    font-weight: 600;
    margin: 0;
    letter-spacing: -0.01em;
  }
  h2 {
    font-size: 14px;
    line-height: 20px;
    font-weight: 600;
    margin: 0;
  }
  h3 {
    font-size: 13px;
    line-height: 20px;
    font-weight: 600;
    margin: 0;
  }
  p {
    margin: 0;
  }
  a {
    color: var(--link);
    text-decoration: none;
  }
  a:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
    border-radius: var(--radius);
  }
  .muted {
    color: var(--muted);
  }
  .num {
    font-variant-numeric: tabular-nums;
    text-align: right;
  }
  .mono {
    font-family: var(--mono);
    font-size: 12px;
  }
  .row {
    display: flex;
    align-items: center;
    gap: 8px;
    flex-wrap: wrap;
  }
  .grow {
    flex: 1;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    padding: 0;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
    border: 0;
  }
  button,
  .button {
    font: inherit;
    color: var(--text);
    background: var(--raised);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius);
    min-height: 32px;
    padding: 0 12px;
    cursor: pointer;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    white-space: nowrap;
  }
  button:hover:not(:disabled) {
    background: var(--hover);
  }
  button:disabled {
    opacity: 0.5;
    cursor: default;
  }
  button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover:not(:disabled) {
    background: var(--accent-strong);
  }
  button.danger {
    color: var(--bad);
    border-color: var(--bad);
    background: transparent;
  }
  button.danger:hover:not(:disabled) {
    background: var(--bad-soft);
  }
  button.quiet {
    border-color: transparent;
    background: transparent;
  }
  button.quiet:hover:not(:disabled) {
    background: var(--hover);
  }
  button.small {
    min-height: 24px;
    padding: 0 8px;
    font-size: 12px;
  }
  input,
  select,
  textarea {
    font: inherit;
    color: var(--text);
    background: var(--field);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius);
    min-height: 32px;
    padding: 4px 8px;
  }
  input[type="checkbox"],
  input[type="radio"] {
    min-height: 0;
    accent-color: var(--accent);
  }
  input::placeholder,
  textarea::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  input[aria-invalid="true"],
  textarea[aria-invalid="true"] {
    border-color: var(--bad);
  }
  kbd {
    font: 11px/16px var(--mono);
    color: var(--muted);
    border: 1px solid var(--line-strong);
    border-bottom-width: 2px;
    border-radius: 4px;
    padding: 0 4px;
    background: var(--raised);
  }
  table {
    border-collapse: collapse;
    width: 100%;
  }
  th {
    text-align: left;
    font-weight: 500;
    color: var(--muted);
    font-size: 12px;
  }
  th,
  td {
    padding: 6px 8px;
    border-bottom: 1px solid var(--line);
  }
  th.num {
    text-align: right;
  }
  .card {
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: 8px;
    padding: 16px;
  }
  .note {
    border: 1px solid var(--line);
    border-left: 3px solid var(--info);
    border-radius: var(--radius);
    padding: 8px 12px;
    background: var(--raised);
  }
  .note.bad {
    border-left-color: var(--bad);
  }
  .note.warn {
    border-left-color: var(--warn);
  }
  .badge {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    padding: 0 6px;
    border-radius: 9px;
    font-size: 12px;
    line-height: 18px;
    background: var(--hover);
    color: var(--text);
    white-space: nowrap;
  }
  .badge.good {
    background: var(--good-soft);
    color: var(--good);
  }
  .badge.warn {
    background: var(--warn-soft);
    color: var(--warn);
  }
  .badge.bad {
    background: var(--bad-soft);
    color: var(--bad);
  }
  .state {
    padding: 32px 16px;
    text-align: center;
  }
  .scroll {
    overflow-x: auto;
  }
  .scroll :is(th, td) {
    white-space: nowrap;
  }
`;
