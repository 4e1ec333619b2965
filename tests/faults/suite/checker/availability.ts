/** What was available of a place at some moment of a call, by the ledger and by the time of holds that were over. */
import type { Call } from "../history.ts";
import type { Explanations } from "./explanations.ts";
import { freedAt } from "./hold_spans.ts";
import type { PlaceKey } from "./places.ts";

/** Callers and the service read one clock, in whole ms. */
export const CLOCK_MS = 5;
/** Longest that a call whose answer nobody heard of is thought to have taken. */
const UNHEARD_MS = 60_000;

/** Versions, and moments by the clock on the wall. */
export interface Span {
  readonly low: number;
  readonly high: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** When a call can have been decided. */
export function spanOf(call: Call, place: PlaceKey, { times }: Pick<Explanations, "times">): Span {
  return { ...times.window(place, call.invokedMs, call.answeredMs), ...momentsOf(call) };
}

/** The same by the clock on the wall alone. */
export function momentsOf({ wallMs, invokedMs, answeredMs }: Call): Pick<Span, "fromMs" | "toMs"> {
  if (wallMs === undefined) return { fromMs: -Infinity, toMs: Infinity };
  const tookMs = answeredMs === undefined ? UNHEARD_MS : answeredMs - invokedMs;
  return { fromMs: wallMs - CLOCK_MS, toMs: wallMs + tookMs + CLOCK_MS };
}

/**
 * What may have been available at each version of the span: to sales, or without `safety` to whoever need not spare the
 * safety stock. `own`: an order for which its live hold counts as free.
 */
export function* availableIn(
  { ledgers, spans }: Pick<Explanations, "ledgers" | "spans">,
  place: PlaceKey,
  { low, high, fromMs, toMs }: Span,
  { safety, own }: { readonly safety: boolean; readonly own?: string },
): Generator<number> {
  const ledger = ledgers.get(place);
  if (ledger === undefined) return;
  for (let version = Math.max(0, low); version <= Math.min(high, ledger.movements.length); version++) {
    const spared = safety || version < ledger.policyFrom ? 0 : ledger.safetyStock;
    const reserved = spans.get(place)?.[version] ?? [];
    const mine = reserved.find(({ orderId }) => orderId === own);
    const others = reserved.filter((span) => span !== mine);
    for (const freed of freedAt(others, fromMs, toMs)) {
      yield Math.max(0, ledger.available[version]! + spared + freed + (mine?.num ?? 0));
    }
  }
}
