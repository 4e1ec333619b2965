/** PostgreSQL: the connections of this process, by OpenTelemetry's names for clients of databases. */
import { SECONDS } from "../../telemetry/measures.ts";
import { STATEMENT_ERRORS } from "../../telemetry/stock_measures.ts";
import type { PoolView } from "../../store/store.ts";
import type { Metric, Sample } from "../metric.ts";
import type { Sources } from "../sources.ts";

const POOLS = ["work", "health"];

export const DATABASE: readonly Metric[] = [
  {
    name: "db_client_operation_duration_seconds",
    type: "histogram",
    help: "how long what the store does took, its wait for a connection included",
    labels: { db_operation_name: "such as `read_snapshot`, `write_changes`", error_type: STATEMENT_ERRORS },
    bounds: SECONDS,
    across: "sum",
    read: ({ served: { measures } }) =>
      measures.stock.statements().map(({ operation, error, seconds }) => ({
        labels: { db_operation_name: operation, error_type: error },
        of: seconds,
      })),
  },
  {
    name: "db_client_connection_count",
    type: "gauge",
    help: "connections to PostgreSQL",
    labels: { db_client_connection_pool_name: POOLS, db_client_connection_state: ["used", "idle"] },
    across: "sum",
    read: ofPools(({ lent, free }) => [
      { labels: { db_client_connection_state: "used" }, value: lent },
      { labels: { db_client_connection_state: "idle" }, value: free },
    ]),
  },
  {
    name: "db_client_connection_max",
    type: "gauge",
    help: "how many there may be: DATABASE_POOL_MAX, or a worker's share",
    labels: { db_client_connection_pool_name: POOLS },
    across: "sum",
    read: ofPools(({ max }) => [{ value: max }]),
  },
  {
    name: "db_client_connection_pending_requests",
    type: "gauge",
    help: "callers that wait for a connection",
    labels: { db_client_connection_pool_name: POOLS },
    across: "sum",
    read: ofPools(({ waiting }) => [{ value: waiting }]),
  },
  {
    name: "db_client_connection_wait_time_seconds",
    type: "histogram",
    help: "how long callers waited for a connection, 0 where one was free",
    labels: { db_client_connection_pool_name: POOLS },
    bounds: SECONDS,
    across: "sum",
    read: ({ served: { store } }) =>
      (store()?.pools ?? []).map(({ name, waits }) => ({
        labels: { db_client_connection_pool_name: name },
        of: waits.seconds,
      })),
  },
  {
    name: "db_client_connection_timeouts_total",
    type: "counter",
    help: "callers that left before they had a connection: their time was up, or too many waited",
    labels: { db_client_connection_pool_name: POOLS },
    across: "sum",
    read: ofPools(({ waits }) => [{ value: waits.timeouts }]),
  },
];

function ofPools(samples: (pool: PoolView) => readonly Sample[]): (sources: Sources) => readonly Sample[] {
  return ({ served: { store } }) =>
    (store()?.pools ?? []).flatMap((pool) =>
      samples(pool).map(({ labels, value }) => ({
        labels: { db_client_connection_pool_name: pool.name, ...labels },
        value,
      }))
    );
}
