/** For scale: a counter that a script takes down on one Redis node. Nothing of it is durable. */
import { Redis } from "ioredis";
import { converse } from "./conversation.ts";
import { type Call, type CallResult, refused, run } from "./loops.ts";

const KEY = "bench:goods:1";
/** More than can be sold in a run. */
const UNITS = 2_000_000_000;

const SCRIPT = `
if tonumber(redis.call("get", KEYS[1])) < tonumber(ARGV[1]) then return 0 end
redis.call("decrby", KEYS[1], ARGV[1])
return 1`;

function seller(node: Redis & { sell(key: string, num: number): Promise<number> }): Call {
  return async (): Promise<CallResult> =>
    await node.sell(KEY, 1) === 1 ? { done: 1, orders: 0, units: 0 } : refused("short_stock");
}

if (import.meta.main) {
  await converse(async ({ redisUrls }) => {
    const node = new Redis(redisUrls[0] ?? "");
    node.defineCommand("sell", { numberOfKeys: 1, lua: SCRIPT });
    await node.set(KEY, UNITS);
    return {
      run: (order) => run(seller(node as Parameters<typeof seller>[0]), order),
      close() {
        node.disconnect();
        return Promise.resolve();
      },
    };
  });
}
