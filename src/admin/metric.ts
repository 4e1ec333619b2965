/**
 * A metric as data: its name, what it means, which labels it has and what these can be, and how it is read off what the
 * rooms of a process count. Of this docs/metrics.md is made, and what a scrape is answered with.
 *
 * Labels are few and known before anybody calls: methods that are served, reasons, verdicts, numbers of nodes. Never
 * what callers write: no goods, no order, no address, no key.
 */
import type { DistributionView } from "../telemetry/measures.ts";
import type { Sources } from "./sources.ts";

/** One value, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One distribution, with its labels. */
export interface Spread {
  readonly labels?: Readonly<Record<string, string>>;
  readonly of: DistributionView;
}

/** What can stand in a label: all of it, or in words where the process knows it only when it runs. */
export type LabelValues = readonly string[] | string;

/** How values of several workers become one. */
export type Across = "sum" | "max" | "min";

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, LabelValues>>;
  readonly across: Across;
}

/** What only grows while the process lives, and what is as it is now. */
export interface Valued extends Described {
  readonly type: "counter" | "gauge";
  read(sources: Sources): Iterable<Sample>;
}

/** What is observed again and again, in buckets. */
export interface Spreading extends Described {
  readonly type: "histogram";
  readonly bounds: readonly number[];
  read(sources: Sources): Iterable<Spread>;
}

/** One metric. */
export type Metric = Valued | Spreading;

/** Whether to read one value of something that a process may not have. */
export function one(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }];
}

/** A sample for each entry, labelled with its key. */
export function each(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

/** 1 or 0. */
export function flag(is: boolean): number {
  return is ? 1 : 0;
}
