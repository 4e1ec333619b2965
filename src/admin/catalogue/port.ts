/** The service's port: who is connected, what is refused there, and what messages take. */
import { each, type Metric, one } from "../metric.ts";
import { COUNTED_LIMITS } from "../../transport/over_limit_log.ts";

export const PORT: readonly Metric[] = [
  {
    name: "holdfast_connections",
    type: "gauge",
    help: "connections to the service's port",
    across: "sum",
    read: ({ served: { listener } }) => one(listener().connections),
  },
  {
    name: "holdfast_connections_max",
    type: "gauge",
    help: "how many there may be",
    across: "sum",
    read: ({ served: { listener } }) => one(listener().connectionsMax),
  },
  {
    name: "holdfast_requests",
    type: "gauge",
    help: "requests in progress, streams included",
    across: "sum",
    read: ({ served: { listener } }) => one(listener().requests),
  },
  {
    name: "holdfast_requests_max",
    type: "gauge",
    help: "how many there may be",
    across: "sum",
    read: ({ served: { listener } }) => one(listener().requestsMax),
  },
  {
    name: "holdfast_over_limit_total",
    type: "counter",
    help: "connections, requests and calls that were refused or cut, by the limit that they passed; `rate`, `calls` " +
      "and `identity_streams` are those of an identity, `loop_delay` sheds what the process does not get through",
    labels: { limit: [...COUNTED_LIMITS, "rate", "calls", "streams", "identity_streams", "loop_delay"] },
    across: "sum",
    read: ({ served: { listener, limits } }) => each("limit", { ...listener().overLimits, ...limits().refused }),
  },
  {
    name: "holdfast_message_bytes",
    type: "gauge",
    help: "bytes that large messages take while they are received and worked on",
    across: "sum",
    read: ({ served: { messages } }) => one(messages().bytes + messages().turnBytes),
  },
  {
    name: "holdfast_message_bytes_max",
    type: "gauge",
    help: "what they may take: REQUEST_BYTES_BUDGET",
    across: "sum",
    read: ({ served: { messages } }) => one(messages().bytesMax + messages().turnBytesMax),
  },
  {
    name: "holdfast_messages_refused_total",
    type: "counter",
    help: "messages that were refused: no bytes were left for them, or they could not be read",
    labels: { reason: ["budget", "unreadable"] },
    across: "sum",
    read: ({ served: { messages } }) =>
      each("reason", { budget: messages().refused, unreadable: messages().unreadable }),
  },
];
