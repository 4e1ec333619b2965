/** How fields look. */
import { css } from "lit";

/** For `static styles` of whatever has fields. */
export const FORM_LOOK = css`
  label {
    display: block;
    font-size: 12px;
    color: var(--muted);
    margin-bottom: 4px;
  }
  .row > label {
    margin: 0;
    color: var(--text);
    font-size: inherit;
  }
  .wide {
    width: 100%;
  }
  .hint,
  .problem {
    font-size: 12px;
    line-height: 16px;
    margin-top: 4px;
  }
  .problem {
    color: var(--bad);
  }
`;
