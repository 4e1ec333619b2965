/** What is measured of the work of one process, beside what its rooms count. */
import { CallMeasures } from "./call_measures.ts";
import { Distribution, SECONDS } from "./measures.ts";
import { StockMeasures } from "./stock_measures.ts";

/** Measures calls, the stock behind them where somebody observes it, and the event loop that all of it runs on. */
export class ProcessMeasures {
  readonly calls: CallMeasures;
  readonly stock: StockMeasures;
  /** How late the event loop was each time that it was looked at. */
  readonly loopDelaySeconds = new Distribution(SECONDS);
  /** The latest of these, in ms. */
  loopDelayMs = 0;

  /** @param nowMs a clock that runs forward */
  constructor(nowMs: () => number) {
    this.calls = new CallMeasures(nowMs);
    this.stock = new StockMeasures(nowMs);
  }

  /** The event loop was so late. */
  looked(lateMs: number): void {
    this.loopDelayMs = lateMs;
    this.loopDelaySeconds.observeMs(lateMs);
  }
}
