/** What the goods page asks the server for, by the page's link. */
import { Code, ConnectError } from "@connectrpc/connect";
import { DeletedFilter, TotalCount } from "../../gen/inventory/v1/query_pb.ts";
import type { Link } from "../link/link.ts";
import { serverNowMs } from "../link/server_clock.ts";
import { newId } from "../parts/ids.ts";
import type { ModelCalls } from "./goods_model.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";
import { type Row, rowOf } from "./row.ts";

/** Names that one ListInv looks up, and rows that it answers at most. */
const NAMES_MAX = 500;
const ROWS_MAX = 1000;
/** Codes of calls that may get through a little later. */
const RETRYABLE: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.ResourceExhausted,
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Internal,
]);

/** The calls of a link. */
export function goodsCalls(link: Link): ModelCalls {
  return {
    async page(request, { size, token }, signal) {
      const answer = await link.query.listInv({ ...request, pageSize: size, pageToken: token }, { signal });
      return { rows: answer.levels.map(rowOf), nextPageToken: answer.nextPageToken };
    },
    async count(request, signal) {
      const asked = { ...request, pageSize: 1, total: TotalCount.EXACT };
      const { total = 0n, totalIsEstimate } = await link.query.listInv(asked, { signal });
      return { count: Number(total), isEstimate: totalIsEstimate };
    },
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        }, { once: true });
      }),
    mayRetry: (error) => RETRYABLE.has(ConnectError.from(error).code),
    async batch(request) {
      return (await link.stock.applyBatch(request)).verdicts;
    },
    find: (names) => findRows(link, names),
    nowMs: serverNowMs,
    makeId: () => newId(),
    nextFrame: (run) => {
      const frame = requestAnimationFrame(run);
      return () => cancelAnimationFrame(frame);
    },
  };
}

/** Rows of names, each of which is a SKU or a goods id. */
async function findRows({ query }: Link, names: readonly string[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let i = 0; i < names.length; i += NAMES_MAX) {
    const part = names.slice(i, i + NAMES_MAX);
    const ids = part.map((name) => Number(name.replace(/^#/, "")));
    const goodsIds = ids.filter((id) => Number.isInteger(id) && id > 0 && id <= INT32_MAX);
    const skus = part.filter((name) => [...name].length <= 64);
    let pageToken = "";
    do {
      const answer = await query.listInv({
        ...{ goodsIds, skus, pageSize: ROWS_MAX, pageToken },
        deleted: DeletedFilter.INCLUDED,
      });
      rows.push(...answer.levels.map(rowOf));
      pageToken = answer.nextPageToken;
    } while (pageToken !== "");
  }
  return rows;
}
