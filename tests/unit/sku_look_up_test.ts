/** Looking up what requests name: what waits for it, what does not, and batches. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Code, ConnectError, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { GoodsNames } from "../../src/goods/goods_names.ts";
import { Reasons } from "../../src/goods/reasons.ts";
import type { Parts } from "../../src/rpc/messages/batch_parts.ts";
import { Violations } from "../../src/rpc/errors.ts";
import { decodeParts } from "../../src/services/decode_parts.ts";
import { createSkus, skuGiven } from "../../src/services/sku_look_up.ts";
import { readGoodsId, type SkuIds } from "../../src/services/skus.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import type { NamedGoods } from "../../src/store/statements/goods.ts";

const CONTEXT = { signal: AbortSignal.any([]), values: createContextValues() } as HandlerContext;

/** Names and reasons over a store in memory, and what was asked of that. */
function lookUp(known: Readonly<Record<string, number>>, fails = false) {
  const asked: (readonly string[])[] = [];
  const goods = (sku: string): NamedGoods => ({ goodsId: known[sku]!, sku, namedAtMs: 1 });
  const named: string[] = [];
  const names = new GoodsNames({
    readSkus(skus) {
      asked.push(skus);
      if (fails) return Promise.reject(new DatabaseUnavailableError("away"));
      return Promise.resolve(new Map(skus.filter((sku) => sku in known).map((sku) => [sku, goods(sku)])));
    },
    readGoods: (ids) =>
      Promise.resolve(
        new Map(Object.keys(known).filter((sku) => ids.includes(known[sku]!)).map((sku) => [known[sku]!, goods(sku)])),
      ),
    nameGoods({ sku, goodsId }) {
      named.push(sku);
      return Promise.resolve([sku in known ? goods(sku) : { goodsId: goodsId!, sku, namedAtMs: 1 }]);
    },
  }, { waitingMax: 100 });
  let reads = 0;
  const reasons = new Reasons({
    readReasons: () => Promise.resolve([...(reads++, ["damage"])].map((code) => ({ code, description: "x" }))),
    addReason: () => Promise.resolve(undefined),
  }, { waitingMax: 100 });
  return { ...createSkus(names, reasons), reasons, asked, named, reads: () => reads };
}

Deno.test("a request without a sku waits for nothing, and neither does one whose reason is known or can't be one", async () => {
  const { skusOf, reasons, asked, reads } = lookUp({});
  assertEquals(skusOf([{ sku: "" }, { sku: "" }], CONTEXT, ""), undefined);
  assertEquals(skusOf([{ sku: "no\nsku" }], CONTEXT, "No reason"), undefined);
  const read = skusOf([], CONTEXT, "damage");
  assert(read !== undefined);
  await read;
  assertEquals([skusOf([], CONTEXT, "damage"), reasons.isKnown("damage"), reads()], [undefined, true, 1]);
  // One that is unknown is read each time, as it may have been added.
  await skusOf([], CONTEXT, "other");
  await skusOf([], CONTEXT, "other");
  assertEquals([reads(), asked], [3, []]);
});

Deno.test("skus that were found are kept, in their form NFC, and those that were not are read again", async () => {
  const { skusOf, asked } = lookUp({ "\u00C9": 7 });
  for (const sku of ["E\u0301", "\u00C9"]) {
    assertEquals([...(await skusOf([{ sku }, { sku: "none" }], CONTEXT))!], [["\u00C9", 7]]);
  }
  assertEquals(asked, [["\u00C9", "none"], ["none"]]);
});

Deno.test("a look-up that fails is an error to retry after", async () => {
  const { skusOf } = lookUp({}, true);
  const error = await assertRejects(() => skusOf([{ sku: "a" }], CONTEXT)!, ConnectError);
  assertEquals(error.code, Code.Unavailable);
});

Deno.test("a sku is given once; a dry run gives none, and says whether it could be given", async () => {
  const { giveSku, named } = lookUp({ A: 1 });
  const give = (goodsId: number, sku: string, dryRun: boolean) => giveSku({ goodsId, sku, dryRun }, CONTEXT);
  await give(2, "B", true);
  assertEquals(named, []);
  await give(2, "B", false);
  await give(2, "B", false);
  assertEquals(named, ["B"], "what is kept is not given again");
  for (const dryRun of [true, false]) {
    const error = await assertRejects(
      () => give(3, "A", dryRun),
      ConnectError,
      'sku "A" is that of goods 1, not of goods 3',
    );
    assertEquals(error.code, Code.AlreadyExists);
  }
  await assertRejects(() => give(1, "C", true), ConnectError, 'goods 1 has the sku "A" already, not "C"');
  assertEquals([...skuGiven({ goodsId: 9, sku: "E\u0301" })], [["\u00C9", 9]]);
});

Deno.test("a goods that could not be given its sku is not taken for one that was", async () => {
  const names = new GoodsNames({
    readSkus: () => Promise.resolve(new Map()),
    readGoods: () => Promise.resolve(new Map()),
    // Each time somebody else is as fast.
    nameGoods: () => Promise.resolve([]),
  }, { waitingMax: 100 });
  const { giveSku } = createSkus(names, lookUp({}).reasons);
  const error = await assertRejects(() => giveSku({ goodsId: 1, sku: "A", dryRun: false }, CONTEXT), ConnectError);
  assertEquals(error.code, Code.Aborted);
});

/** A part as a batch has them. */
interface Part {
  readonly goodsInfo: readonly { readonly goodsId: number; readonly sku: string }[];
  readonly reason: string;
}

const part = (sku: string, reason = "", goodsId = sku === "" ? 5 : 0): Part => ({
  goodsInfo: [{ goodsId, sku }],
  reason,
});

Deno.test("the parts of a batch keep their sequence, and all of their skus and reasons are one look-up", async () => {
  const { skusOf, reasons, asked, reads } = lookUp({ A: 1, B: 2 });
  const batch = [part("A"), part(""), part("none"), part("B", "damage"), part("", "damage"), part("A"), part("")];
  const refused: number[] = [];
  const decoded = await decodeParts(partsOf(batch), {
    skusOf,
    reasons,
    named: (request) => request,
    decode({ goodsInfo: [named] }: Part, skus?: SkuIds) {
      const violations = new Violations();
      const goodsId = readGoodsId(violations, "", named!, skus);
      violations.check();
      return goodsId;
    },
    refuse: (_, at) => refused.push(at),
  }, CONTEXT);
  assertEquals(decoded, [
    { at: 0, asked: 1 },
    { at: 1, asked: 5 },
    { at: 3, asked: 2 },
    { at: 4, asked: 5 },
    { at: 5, asked: 1 },
    { at: 6, asked: 5 },
  ]);
  assertEquals([refused, asked, reads()], [[2], [["A", "none", "B"]], 1]);
});

function partsOf(parts: readonly Part[]): Parts<Part> {
  return { count: parts.length, turn: () => Promise.resolve(() => {}), read: (at) => parts[at]! };
}
