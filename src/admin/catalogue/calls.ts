/** Calls of methods, by OpenTelemetry's names for servers of RPC, and who may not make them. */
import { AUDIT_REASONS } from "../../auth/refusal_audit.ts";
import { OTHER_METHODS } from "../../telemetry/call_measures.ts";
import { SECONDS } from "../../telemetry/measures.ts";
import { type Metric, one } from "../metric.ts";

export const CALLS: readonly Metric[] = [
  {
    name: "rpc_server_call_duration_seconds",
    type: "histogram",
    help: "how long calls took from their header to their answer, by whatever protocol; streams to their end",
    labels: {
      rpc_method: `a method with its service that is served, such as \`inventory.v1.InventoryService/Sell\`; ` +
        `\`${OTHER_METHODS}\` for all else`,
      rpc_response_status_code: "gRPC's name of what it came to, such as `OK` or `FAILED_PRECONDITION`",
    },
    bounds: SECONDS,
    across: "sum",
    read: ({ served: { measures } }) =>
      measures.calls.durations().map(({ method, code, seconds }) => ({
        labels: { rpc_method: method, rpc_response_status_code: code },
        of: seconds,
      })),
  },
  {
    name: "holdfast_auth_refusals_total",
    type: "counter",
    help: "calls whose callers did not prove who they are, or may not make them, by why",
    labels: { reason: AUDIT_REASONS },
    across: "sum",
    read: ({ served: { refusedCallers } }) =>
      AUDIT_REASONS.map((reason) => ({ labels: { reason }, value: refusedCallers().get(reason) ?? 0 })),
  },
  {
    name: "holdfast_identities_active",
    type: "gauge",
    help: "identities that have calls under way",
    across: "sum",
    read: ({ served: { limits } }) => one(limits().identities),
  },
  {
    name: "holdfast_watchers_open",
    type: "gauge",
    help: "streams of changes that are open",
    across: "sum",
    read: ({ served: { limits } }) => one(limits().streams),
  },
  {
    name: "holdfast_shedding_pressure",
    type: "gauge",
    help: "the part of the calls that are refused as the event loop is late; above 1, operators' too",
    across: "max",
    read: ({ served: { limits } }) => one(limits().pressure),
  },
];
