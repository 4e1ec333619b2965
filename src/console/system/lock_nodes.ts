/** The nodes of the lock: who has a vote, how fast it answers, and how it has voted. */
import { html, nothing, type TemplateResult } from "lit";
import { Concurrency, type LockNode, LockNodeState, type StatusResponse } from "../../gen/inventory/v1/lock_pb.ts";
import { formats } from "../parts/speech.ts";
import { wordsOf } from "../words/language.ts";
import * as SYSTEM from "../words/system.ts";

type StateName = keyof typeof SYSTEM.en.states;

const STATES: Readonly<Record<LockNodeState, readonly [StateName, string]>> = {
  [LockNodeState.UNSPECIFIED]: ["unknown", ""],
  [LockNodeState.UP]: ["up", "good"],
  [LockNodeState.DOWN]: ["down", "bad"],
  [LockNodeState.QUARANTINED]: ["quarantined", "warn"],
  [LockNodeState.REFUSED]: ["refused", "bad"],
};

/** What the mode is called. */
export function modeName({ concurrency }: StatusResponse): string {
  const { modes } = wordsOf(SYSTEM);
  switch (concurrency) {
    case Concurrency.REDLOCK:
      return modes.redlock;
    case Concurrency.ROW:
      return modes.row;
    case Concurrency.OPTIMISTIC:
      return modes.optimistic;
    default:
      return modes.unknown;
  }
}

/** The section of the nodes. */
export function lockNodes(status: StatusResponse): TemplateResult {
  const words = wordsOf(SYSTEM);
  const { number } = formats();
  const { nodes, quorum, fallback } = status;
  return html`
    <section class="card" aria-labelledby="nodes">
      <h2 id="nodes">${words.nodes}</h2>
      ${fallback?.active ? html`<p class="note warn">${words.fallback}</p>` : nothing}
      ${nodes.length === 0 ? html`<p class="muted">${words.noNodes}</p>` : html`
        <p class="muted">${words.nodesLead(number(quorum), number(nodes.length))}</p>
        <div class="scroll" tabindex="0" role="region" aria-labelledby="nodes">
          <table>
            <thead>
              <tr>
                <th scope="col">${words.node}</th>
                <th scope="col">${words.state}</th>
                <th scope="col" class="num">${words.latency}</th>
                <th scope="col" class="num">${words.votes}</th>
                <th scope="col">${words.reason}</th>
              </tr>
            </thead>
            <tbody>${nodes.map(row)}</tbody>
          </table>
        </div>
      `}
    </section>
  `;
}

function row(node: LockNode): TemplateResult {
  const words = wordsOf(SYSTEM);
  const { number } = formats();
  const [name, style] = STATES[node.state];
  const left = node.quarantineLeftMs === 0
    ? ""
    : words.quarantineLeft(words.seconds(number(Math.ceil(node.quarantineLeftMs / 1000))));
  return html`
    <tr>
      <th scope="row" class="mono">${node.number}. ${node.address}</th>
      <td><span class="badge ${style}">${words.states[name]}</span> <span class="muted">${left}</span></td>
      <td class="num">${node.latencyMs === undefined
        ? "–"
        : words.ms(number(Math.round(node.latencyMs * 100) / 100))}</td>
      <td class="num">${[node.votesFor, node.votesAgainst, node.votesMissing].map((each) => number(Number(each))).join(
        " / ",
      )}</td>
      <td class="muted">${node.reason}</td>
    </tr>
  `;
}
