/** What a refusal is judged by: what stands in the tables, and what the refusal itself says. */
import type { AskedFor } from "./asked.ts";
import type { GoodsLedger } from "./ledger.ts";
import type { HoldSpans } from "./hold_spans.ts";
import type { PlaceKey } from "./places.ts";
import type { OrderRow, Tables } from "./tables.ts";
import type { Times } from "./times.ts";

/** What refusals are compared with. */
export interface Explanations {
  readonly tables: Tables;
  readonly orders: ReadonlyMap<string, OrderRow>;
  readonly ledgers: ReadonlyMap<PlaceKey, GoodsLedger>;
  readonly spans: HoldSpans;
  readonly asked: AskedFor;
  readonly times: Times;
}

/** A detail of Connect's JSON. */
export interface Detail {
  readonly type?: string;
  readonly debug?: Readonly<Record<string, unknown>>;
}
