/** Tables of the page of the system. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { html, nothing, type TemplateResult } from "lit";
import type { StatusResponse } from "../../gen/inventory/v1/lock_pb.ts";
import type { GetSystemResponse } from "../../gen/inventory/v1/system_pb.ts";
import { formats } from "../parts/speech.ts";
import { wordsOf } from "../words/language.ts";
import * as SYSTEM from "../words/system.ts";
import { modeName } from "./lock_nodes.ts";

/** What the process needs, and whether it is there. */
export function needs(
  { dependencies, database, version, startedAt }: GetSystemResponse,
  lock: StatusResponse,
): TemplateResult {
  const words = wordsOf(SYSTEM);
  const { number, time } = formats();
  return html`
    <section class="card" aria-labelledby="needs">
      <h2 id="needs">${words.dependencies}</h2>
      <table>
        <tbody>
          ${dependencies.map(({ name, up, reason }) =>
            html`
              <tr>
                <th scope="row">${name}</th>
                <td>
                  <span class="badge ${up ? "good" : "bad"}">${up ? words.up : words.down}</span>
                  <span class="muted">${reason}</span>
                </td>
              </tr>
            `
          )} ${database === undefined ? nothing : html`
            <tr>
              <th scope="row">${words.connections}</th>
              <td>${words.inUse(
                number(database.inUse),
                number(database.connections),
                number(database.connectionsMax),
              )}</td>
            </tr>
            <tr>
              <th scope="row">${words.statementsWaiting}</th>
              <td>${number(database.waiting)}</td>
            </tr>
          `}
          <tr><th scope="row">${words.mode}</th><td>${modeName(lock)}</td></tr>
          <tr><th scope="row">${words.leases}</th><td>${number(lock.leasesTotal)}</td></tr>
          <tr><th scope="row">${words.version}</th><td>${version}</td></tr>
          ${startedAt === undefined ? nothing : html`
            <tr>
              <th scope="row">${words.since}</th>
              <td>${time(timestampMs(startedAt))}</td>
            </tr>
          `}
        </tbody>
      </table>
    </section>
  `;
}

/** What it refused since it started, the most first. */
export function refusalsTable({ refusals }: GetSystemResponse): TemplateResult {
  const words = wordsOf(SYSTEM);
  const { number } = formats();
  const there = refusals.filter(({ count }) => count > 0n).toSorted((a, b) => Number(b.count - a.count));
  return html`
    <section class="card" aria-labelledby="refusals">
      <h2 id="refusals">${words.refusals}</h2>
      ${there.length === 0 ? html`<p class="muted">${words.noRefusals}</p>` : html`
        <table>
          <thead>
            <tr>
              <th scope="col">${words.refusal}</th>
              <th scope="col" class="num">${words.count}</th>
            </tr>
          </thead>
          <tbody>
            ${there.map(({ reason, count }) =>
              html`
                <tr>
                  <th scope="row" class="mono">${reason}</th>
                  <td class="num">${number(Number(count))}</td>
                </tr>
              `
            )}
          </tbody>
        </table>
      `}
    </section>
  `;
}
