/** PostgreSQL: the connections of this process, by OpenTelemetry's names for clients of databases. */
import type { PoolView } from "../../store/store.ts";
import type { Metric, Sample } from "../metric.ts";
import type { Sources } from "../sources.ts";

const POOLS = ["work", "health"];

export const DATABASE: readonly Metric[] = [
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
