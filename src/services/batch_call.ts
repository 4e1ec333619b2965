/**
 * A call of several operations: each part is decoded, decided and answered as the single call would, and its error
 * stands in its verdict. It fails as a whole only for what it is itself: empty, or too long.
 */
import type { HandlerContext } from "@connectrpc/connect";
import type { Reasons } from "../goods/reasons.ts";
import { rulesOf } from "../inventory/operations/operation.ts";
import type { Verdict } from "../inventory/model.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Parts } from "../rpc/messages/batch_parts.ts";
import { callSignal } from "../rpc/deadline.ts";
import { inSlices } from "../rpc/time_slices.ts";
import type { Log } from "../telemetry/log.ts";
import { callerAddress } from "../transport/addresses.ts";
import { readActor } from "./attribution.ts";
import { decodeParts, type NamedPart } from "./decode_parts.ts";
import type { Asked, Ending } from "./ending.ts";
import { checkParts, errorsOf } from "./part_errors.ts";
import type { SkusOf } from "./sku_look_up.ts";
import type { SkuIds } from "./skus.ts";
import { AnswerBudget, errorIn } from "./verdict_budget.ts";

/** What batches work with. */
export interface BatchOptions {
  readonly lanes: Lanes;
  readonly skusOf: SkusOf;
  readonly reasons: Reasons;
  /** Parts of one batch. */
  readonly batchOrdersMax: number;
  /** Largest answer that the server sends. */
  readonly responseBytesMax: number;
  readonly log: Log;
}

/** How the parts of one kind of batch are read and answered. */
export interface PartKind<R, A extends Asked, M> {
  readonly field: string;
  readonly part: string;
  /** What names goods in it, and its reason. */
  named(request: R): NamedPart;
  decode(request: R, actor: string | undefined, skus: SkuIds | undefined): A;
  answer(asked: A, ending: Ending): M;
  /** The answer as it stands in a verdict, cut where there is no budget left. */
  fit(budget: AnswerBudget, answer: M): Fitted<M>;
  /** Parts on the same order are decided by their sequence, also where one makes the order of the next. */
  readonly ordersInSequence?: true;
}

/** An answer within its budget. */
export interface Fitted<M> {
  readonly answer: M;
  readonly truncated: boolean;
}

/** A verdict before it has the words of its kind. */
export type Ended<M> = Fitted<M> | ReturnType<typeof errorIn>;

/** Decodes, applies and answers all parts. Throws for a bad count. Nobody reads what it answers to an ended call. */
export async function endAll<R, A extends Asked, M>(
  kind: PartKind<R, A, M>,
  requests: Parts<R>,
  context: HandlerContext,
  { lanes, skusOf, reasons, batchOrdersMax, responseBytesMax, log }: BatchOptions,
): Promise<Ended<M>[]> {
  const { count } = requests;
  checkParts(kind.field, kind.part, count, batchOrdersMax);
  const actor = readActor(context);
  const budget = new AnswerBudget(responseBytesMax, count);
  const errorOf = errorsOf(context, log);
  const ended: Ended<M>[] = [];
  const signal = callSignal(context);
  const endTurn = await requests.turn(signal);
  try {
    const asked = await decodeParts(requests, {
      skusOf,
      reasons,
      named: kind.named,
      decode: (request, skus) => kind.decode(request, actor, skus),
      refuse: (error, at) => {
        // Cut to its budget at once: a batch of bad parts must not stay in memory with all its details.
        ended[at] = errorIn(budget, errorOf(error));
      },
    }, context);
    const ends: PromiseSettledResult<Verdict>[] = [];
    for (const run of kind.ordersInSequence === true ? runsOf(asked) : [asked]) {
      const operations = run.map(({ asked: { operation } }) => operation);
      ends.push(...await lanes.applyAll(operations, signal, callerAddress(context.values), context.timeoutMs()));
    }
    await inSlices(asked, signal, ({ at, asked }, i) => {
      const end = ends[i]!;
      try {
        ended[at] = kind.fit(budget, kind.answer(asked, end.status === "fulfilled" ? end.value : end.reason));
      } catch (error) {
        ended[at] = errorIn(budget, errorOf(error));
      }
    });
    return ended;
  } finally {
    endTurn();
  }
}

/** As few runs as have no order twice in one of them, in the given sequence. */
function runsOf<T extends { readonly asked: Asked }>(all: readonly T[]): T[][] {
  const runs: T[][] = [];
  const orders = new Set<string>();
  for (const each of all) {
    const { operation } = each.asked;
    const { orderIds = [] } = rulesOf(operation).records(operation, undefined);
    if (runs.length === 0 || orderIds.some((orderId) => orders.has(orderId))) {
      runs.push([]);
      orders.clear();
    }
    runs.at(-1)!.push(each);
    for (const orderId of orderIds) orders.add(orderId);
  }
  return runs;
}
