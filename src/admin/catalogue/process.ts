/** What there is of every process: whether it takes work, and what it takes of the machine. */
import process from "node:process";
import { SECONDS } from "../../telemetry/measures.ts";
import { each, flag, type Metric, one } from "../metric.ts";

/** When this process came to count time, in seconds since the epoch. */
const STARTED_S = performance.timeOrigin / 1000;

export const PROCESS: readonly Metric[] = [
  {
    name: "holdfast_build_info",
    type: "gauge",
    help: "1, with the version of Holdfast and of the Deno that it runs on",
    labels: { version: "of Holdfast", deno: "of Deno" },
    across: "max",
    read: ({ build: { version, deno } }) => [{ labels: { version, deno }, value: 1 }],
  },
  {
    name: "holdfast_ready",
    type: "gauge",
    help: "1: it takes work; 0: it starts, shuts down, or something that it needs is away",
    across: "min",
    read: ({ served: { health } }) => one(flag(health().ready)),
  },
  {
    name: "holdfast_dependency_ready",
    type: "gauge",
    help: "1: what it needs answered when it was last looked at; it is looked at twice a second",
    labels: { dependency: ["PostgreSQL", "Redis quorum", "keys of callers"] },
    across: "min",
    read: ({ served: { health } }) =>
      health().dependencies.map(({ name, ready }) => ({ labels: { dependency: name }, value: flag(ready) })),
  },
  {
    name: "holdfast_draining",
    type: "gauge",
    help: "1: it shuts down and takes no new calls",
    across: "max",
    read: ({ served: { health } }) => one(flag(health().closed)),
  },
  {
    name: "holdfast_certificate_expiry_seconds",
    type: "gauge",
    help: "when the certificate in use expires, in seconds since 1970; absent: it speaks cleartext",
    across: "min",
    read: ({ certificateExpiryMs }) => {
      const ms = certificateExpiryMs();
      return one(ms === undefined ? undefined : ms / 1000);
    },
  },
  {
    name: "holdfast_event_loop_delay_seconds",
    type: "histogram",
    help: "how late the event loop was, looked at ten times a second",
    bounds: SECONDS,
    across: "sum",
    read: ({ served: { measures } }) => [{ of: measures.loopDelaySeconds }],
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "processor time since the process started",
    labels: { mode: ["user", "system"] },
    across: "sum",
    read: () => {
      const { user, system } = process.cpuUsage();
      return each("mode", { user: user / 1e6, system: system / 1e6 });
    },
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "memory of the process that is in RAM",
    across: "sum",
    read: () => one(Deno.memoryUsage().rss),
  },
  {
    name: "process_heap_bytes",
    type: "gauge",
    help: "heap of the process's JavaScript, as it is reserved and as it is used",
    labels: { part: ["reserved", "used"] },
    across: "sum",
    read: () => {
      const { heapTotal, heapUsed } = Deno.memoryUsage();
      return each("part", { reserved: heapTotal, used: heapUsed });
    },
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "when the process started, in seconds since 1970",
    across: "min",
    read: () => one(STARTED_S),
  },
];
