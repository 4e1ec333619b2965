/** The shop whose list is looked at: its goods, and the changes that come to them meanwhile. */
import { setTimeout as delay } from "node:timers/promises";

/** Operations of one ApplyBatch, and calls under way at a time. */
const BATCH = 1000;
const CALLERS = 16;
const UNITS = 1_000_000;
/** Orders of one SellBatch, each of one line. */
const ORDERS = 50;

/** Makes goods 1 to `count` with stock and a SKU each; `report` hears how far it is. Throws Error where refused. */
export async function makeShop(url: string, count: number, report: (progress: string) => void): Promise<void> {
  for (let from = 1; from <= count; from += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, count - from + 1) }, (_, i) => from + i);
    const operations = ids.map((goodsId) => ({ setInv: { goodsId, num: UNITS + goodsId % 977 } }));
    await call(url, "StockService/ApplyBatch", { operations });
  }
  report(`${count} goods have stock`);
  let next = 1;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    while (next <= count) {
      const goodsId = next++;
      const sku = `${["TEA", "CUP", "POT", "BAG"][goodsId % 4]}-${String(goodsId).padStart(6, "0")}`;
      await call(url, "GoodsService/RegisterGoods", { goodsId, sku });
    }
  }));
  report(`${count} goods have a SKU`);
}

/** Changes of goods, until they are stopped. */
export interface Changes {
  /** Which goods change from now on: their ids are drawn by this. */
  draw: () => number;
  /** How many were made. */
  readonly made: number;
  stop(): Promise<void>;
}

/** Sells one unit of a goods `perSecond` times a second. What the machine does not get done in time is left out. */
export function makeChanges(url: string, perSecond: number, draw: () => number): Changes {
  let isStopped = false;
  let made = 0;
  const changes = {
    draw,
    get made() {
      return made;
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
  const run = async () => {
    const everyMs = 1000 * ORDERS / perSecond;
    let dueMs = performance.now();
    while (!isStopped) {
      const orders = Array.from({ length: ORDERS }, () => ({
        orderId: crypto.randomUUID(),
        goodsInfo: [{ goodsId: changes.draw(), num: 1 }],
      }));
      await call(url, "InventoryService/SellBatch", { orders });
      made += ORDERS;
      dueMs = Math.max(dueMs + everyMs, performance.now() - everyMs);
      await delay(Math.max(0, dueMs - performance.now()));
    }
  };
  const running = run();
  return changes;
}

async function call(url: string, method: string, message: unknown): Promise<void> {
  const answer = await fetch(`${url}/inventory.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method}: ${text}`);
}
