/** How the frame looks. */
import { css } from "lit";

export const FRAME_LOOK = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100dvh;
    background: var(--page);
  }
  .skip {
    position: absolute;
    left: 8px;
    top: -48px;
    z-index: 30;
    padding: 8px 12px;
    background: var(--raised);
    border-radius: var(--radius);
  }
  .skip:focus {
    top: 8px;
  }
  header {
    display: flex;
    align-items: center;
    gap: 4px 16px;
    min-height: 48px;
    padding: 0 16px;
    background:
      var(--raised);
    border-bottom: 1px solid var(--line);
  }
  .brand {
    font-weight: 650;
    letter-spacing: -0.01em;
    color: var(--text);
  }
  nav {
    display: flex;
    gap: 4px;
    flex: 1;
  }
  nav a {
    color: var(--muted);
    padding: 6px 10px;
    border-radius: var(--radius);
    font-weight: 500;
  }
  nav a:hover {
    background: var(--hover);
    text-decoration: none;
  }
  nav a[aria-current] {
    color: var(--text);
    background: var(--hover);
  }
  .live {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    font-size: 12px;
    color: var(--muted);
  }
  .dot {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--warn);
  }
  .live.live-on .dot {
    background: var(--good);
  }
  .live.live-away .dot {
    background: var(--bad);
  }
  .banner {
    padding: 6px 16px;
    background: var(--warn-soft);
    color: var(--warn);
  }
  main {
    flex: 1;
    min-height: 0;
    overflow: auto;
    padding: 16px;
    outline: none;
  }
  main > * {
    max-width: 1440px;
    margin-inline: auto;
  }
  .page[hidden] {
    display: none;
  }
  .middle {
    display: grid;
    place-items: center;
    gap: 8px;
    padding: 64px 16px;
    text-align: center;
  }
  dl {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 8px 16px;
    margin: 0;
  }
  dd {
    margin: 0;
  }
  @media (max-width: 640px) {
    nav {
      position: fixed;
      inset: auto 0 0 0;
      z-index: 10;
      padding: 4px 8px calc(4px + env(safe-area-inset-bottom));
      background: var(--raised);
      border-top: 1px solid var(--line);
    }
    nav a {
      flex: 1;
      text-align: center;
      padding: 12px 8px;
    }
    .brand {
      flex: 1;
    }
    main {
      padding: 12px 12px 68px;
    }
  }
`;
