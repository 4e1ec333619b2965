/**
 * The independent checker: whether a history of calls and the tables in the end are what a service that keeps all its
 * promises could have answered and written. It shares no code with the program.
 *
 * The ledger is the sequence of changes that is put to the test: per goods, every acknowledged change must be in it and
 * every answer explained by it, without contradicting the clock of the callers.
 */
import type { History } from "../history.ts";
import { type AskedFor, sortOut } from "./asked.ts";
import { checkCaps } from "./cap_rules.ts";
import { checkExpectations } from "./expectation_rules.ts";
import { checkHolds } from "./hold_rules.ts";
import { readHoldSpans } from "./hold_spans.ts";
import { readLedgers } from "./ledger.ts";
import { checkLevels } from "./level_rules.ts";
import { checkOneSequence } from "./one_sequence.ts";
import { checkRefusals } from "./refusal_rules.ts";
import { checkRecords } from "./record_rules.ts";
import { checkRollbacks } from "./rollback_rules.ts";
import { checkMoments } from "./moment_rules.ts";
import { checkSells } from "./sell_rules.ts";
import { checkSets } from "./set_rules.ts";
import { checkWatched } from "./watch_rules.ts";
import type { OrderRow, Tables } from "./tables.ts";
import { Times } from "./times.ts";
import { Violations } from "./violations.ts";

/**
 * All violations, a sentence each, bounded in number; none: every promise was kept. Pure.
 *
 * - conservation, nothing negative at any version, versions 1..n whole
 * - each order, rollback and set at most once, as it was asked for; every acknowledged one present, every refused one
 *   absent, nothing that nobody asked for
 * - retries answered the same; what came back is what the ledger gave, never more than was sold; barred orders not sold
 * - nothing was decided before the first call was made that was not refused: then a refused one wrote it
 * - an expired hold blocks nobody from its time on: no answer counts it, and no change leaves it reserved but a sale
 *   that gets all that it asks for, for a moment
 * - what is reserved is what live holds have; holds end as they were asked to, and expire at their time
 * - no buyer ever has more than a policy allows; of sets that expect one version one is made
 * - transfers are whole; adjustments and counts are made once, as asked
 * - per goods, the ledger explains every answer and refusal within the time of its call; over all goods there is one
 *   order
 * - who watched saw each version of each place once, in sequence, as the ledger has it, and in the end the last one
 *
 * @throws Error for a request that it does not know: something given back without an order and an id
 */
export function check(history: History, tables: Tables): string[] {
  const violations = new Violations();
  const orders = new Map(tables.orders.map((order) => [order.orderId, order]));
  const ledgers = readLedgers(tables, violations);
  const asked = sortOut(history.calls, orders);
  checkSells(tables, orders, asked, violations);
  checkRollbacks(tables, orders, asked, violations);
  checkSets(tables, asked, violations);
  checkMoments(tables, asked, violations);
  const times = new Times(tables, ledgers, asked, violations);
  const spans = readHoldSpans(ledgers, asked, violations);
  const explanations = { tables, orders, ledgers, spans, asked, times };
  checkHolds(tables, orders, spans, asked, violations);
  checkRecords(tables, asked, violations);
  checkExpectations(ledgers, asked, violations);
  checkCaps(explanations, violations);
  checkLevels(explanations, violations);
  checkRefusals(history.calls, explanations, violations);
  checkAfterRollback(orders, asked, violations);
  checkOneSequence(ledgers, violations);
  checkWatched(history.watched ?? [], ledgers, violations);
  return violations.list();
}

/** A sell that was asked for when its order was known to be rolled back is not answered as sold. */
function checkAfterRollback(orders: ReadonlyMap<string, OrderRow>, asked: AskedFor, violations: Violations): void {
  for (const [orderId, rollbacks] of asked.rollbacksOfOrder) {
    if (orders.get(orderId)?.state !== "rolled_back") continue;
    const applied = rollbacks.filter(({ open }) => open.length > 0);
    const knownMs = Math.max(...applied.map(({ knownMs }) => knownMs));
    const late = asked.sells.get(orderId)?.oks.find(({ invokedMs }) => invokedMs > knownMs);
    if (late !== undefined) {
      violations.add(
        `order ${orderId}: reported as sold to a call at ${late.invokedMs.toFixed(1)} ms, it was rolled back`,
      );
    }
  }
}

export { readTables, type Tables } from "./tables.ts";
