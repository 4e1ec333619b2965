/** Goods for tests of the page, written by the API as a shop's backend writes them. */
import type { TestServer } from "../../support/server.ts";
import { shopOf } from "./shop.ts";

/** The SKU of a made goods: `SKU-0007` of goods 7. */
export function skuOf(goodsId: number): string {
  return `SKU-${String(goodsId).padStart(4, "0")}`;
}

/** Makes goods 1 to `count`, with as many of each as its id says, and names the first `named` of them. */
export async function makeGoods(server: TestServer, count: number, named = 20): Promise<void> {
  const call = shopOf(server.url);
  for (let from = 1; from <= count; from += 1000) {
    const ids = Array.from({ length: Math.min(1000, count - from + 1) }, (_, i) => from + i);
    const operations = ids.map((goodsId) => ({ setInv: { goodsId, num: goodsId } }));
    await call("StockService/ApplyBatch", { operations });
  }
  for (let goodsId = 1; goodsId <= Math.min(named, count); goodsId++) {
    await call("GoodsService/RegisterGoods", { sku: skuOf(goodsId), goodsId });
  }
}
