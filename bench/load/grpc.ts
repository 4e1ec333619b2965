/** A process that calls servers over gRPC. The same client for every method, so that their rates can be compared. */
import { v7 as uuidV7 } from "uuid";
import { type Picker, picker } from "../workload.ts";
import { converse } from "./conversation.ts";
import { CallLostError, type GrpcAnswer, GrpcConnection } from "./grpc_connection.ts";
import { extraField } from "./hpack.ts";
import { type Call, type CallResult, refused, run, sold, unknown } from "./loops.ts";
import { invDetailRequest, sellBatchCodes, sellBatchRequest, sellRequest } from "./messages.ts";
import type { LoadRun, Targets, Work } from "./protocol.ts";
import { together } from "../stats.ts";
import { turned } from "../turn_sequence.ts";

const PATHS = {
  Sell: "/inventory.v1.InventoryService/Sell",
  SellBatch: "/inventory.v1.InventoryService/SellBatch",
  InvDetail: "/inventory.v1.InventoryService/InvDetail",
  Noop: "/bench.v1.BenchService/Noop",
} as const;

/** Callers that share a connection in a closed loop; in an open one it is what a server allows. */
const CALLERS_PER_CONNECTION = 32;
const STREAMS_PER_CONNECTION_MAX = 100;

/** Codes that say that nothing was sold, and codes that say that nobody knows. Any other is a fault. */
const REFUSALS: Readonly<Record<number, string>> = {
  5: "NOT_FOUND",
  8: "RESOURCE_EXHAUSTED",
  9: "FAILED_PRECONDITION",
  10: "ABORTED",
};
const UNKNOWNS: Readonly<Record<number, string>> = { 1: "CANCELLED", 4: "DEADLINE_EXCEEDED", 14: "UNAVAILABLE" };

const EMPTY = new Uint8Array(0);

/** Answers a call's message, how many orders it has, and what its answer came to. */
type Maker = () => {
  readonly message: Uint8Array;
  readonly orders: number;
  /** What it says beside its message. */
  readonly extra?: Uint8Array;
  read(answer: Uint8Array): CallResult;
};

function maker(work: Work, pick: Picker): Maker {
  switch (work.method) {
    case "Sell":
      return () => {
        const goodsIds = pick();
        return {
          message: sellRequest(uuidV7(), goodsIds),
          orders: 1,
          ...named(work, goodsIds),
          read: () => sold(goodsIds.length),
        };
      };
    case "SellBatch":
      return () => {
        const orders = Array.from({ length: work.orders ?? 1 }, () => pick());
        return {
          message: sellBatchRequest(orders.map((goodsIds) => sellRequest(uuidV7(), goodsIds))),
          orders: orders.length,
          read: (answer) => allOf(sellBatchCodes(answer).map((code, i) => resultOf(code, orders[i]!.length))),
        };
      };
    case "InvDetail":
      return () => ({ message: invDetailRequest(pick()[0]!), orders: 0, read: answered });
    default:
      return () => ({ message: EMPTY, orders: 0, ...named(work, pick()), read: answered });
  }
}

/** What names the goods of a call, where its work says so. */
function named({ namesGoods }: Work, [goodsId]: readonly number[]): { readonly extra?: Uint8Array } {
  return namesGoods === true ? { extra: extraField("x-holdfast-goods", String(goodsId)) } : {};
}

function answered(): CallResult {
  return { done: 1, orders: 0, units: 0 };
}

function resultOf(code: number, lines: number, orders = 1): CallResult {
  if (code === 0) return sold(lines);
  const refusal = REFUSALS[code];
  if (refusal !== undefined) return refused(refusal);
  const lost = UNKNOWNS[code];
  if (lost !== undefined) return unknown(lost, orders);
  throw new Error(`A call was answered with gRPC status ${code}`);
}

function allOf(results: readonly CallResult[]): CallResult {
  const orders = results.reduce((sum, result) => sum + result.orders, 0);
  return {
    done: orders,
    orders,
    units: results.reduce((sum, result) => sum + result.units, 0),
    refused: together(results.map((result) => result.refused ?? {})),
    unknown: together(results.map((result) => result.unknown ?? {})),
  };
}

function caller(connections: readonly GrpcConnection[], make: Maker): Call {
  return async (): Promise<CallResult> => {
    const connection = connections.reduce((one, other) => other.inProgress < one.inProgress ? other : one);
    const { message, orders, extra, read } = make();
    let answer: GrpcAnswer;
    try {
      answer = await connection.call(message, undefined, extra);
    } catch (error) {
      if (error instanceof CallLostError) return unknown(error.message, orders);
      throw error;
    }
    return answer.status === 0 ? read(answer.message) : resultOf(answer.status, 0, orders);
  };
}

function urlsOf(
  { serverUrls, variantUrls, fleetUrls }: Targets,
  { work, servers, firstServer = 0 }: LoadRun,
): readonly string[] {
  if (work.fleet !== undefined) return turned(fleetUrls?.[work.fleet] ?? [], firstServer).slice(0, 1);
  return work.variant !== undefined
    ? [variantUrls[work.variant] ?? ""]
    : turned(serverUrls, firstServer).slice(0, servers);
}

async function connect(targets: Targets, order: LoadRun): Promise<GrpcConnection[]> {
  const { work, callers, ratePerS } = order;
  const urls = urlsOf(targets, order);
  const perConnection = ratePerS === undefined ? CALLERS_PER_CONNECTION : STREAMS_PER_CONNECTION_MAX;
  const perServer = Math.ceil(callers / urls.length / perConnection);
  // Round the servers, so that of two equally busy connections the next server's comes first.
  const wanted = Array.from({ length: perServer }, () => urls).flat();
  const authorization = work.variant === "keyed" ? `Bearer ${targets.key}` : undefined;
  return await Promise.all(
    wanted.map((url) => GrpcConnection.connect(url, PATHS[work.method ?? "Noop"], authorization)),
  );
}

if (import.meta.main) {
  await converse((targets) =>
    Promise.resolve({
      async run(order) {
        const connections = await connect(targets, order);
        try {
          return await run(caller(connections, maker(order.work, picker(order.work.workload, Math.random))), order);
        } finally {
          for (const connection of connections) connection.close();
        }
      },
      close: () => Promise.resolve(),
    })
  );
}
