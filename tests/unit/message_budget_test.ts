import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { FREE_BYTES, MessageBudget, type MessageShare, TURNS_PART } from "../../src/rpc/messages/budget.ts";

/** For messages, beside which a part is for what large batches become. */
const LIMIT = 100_000;
const BUDGET = LIMIT / (1 - TURNS_PART);
const [ADDRESS, OTHER] = ["one address", "another"];

/** One step of one of some calls. */
const steps = fc.array(
  fc.tuple(
    fc.nat(9),
    fc.constantFrom("receive", "receive", "keep", "end"),
    fc.oneof(fc.nat(2 * FREE_BYTES), fc.nat(60_000), fc.nat(400_000)),
  ),
  { maxLength: 80 },
);

Deno.test("never more is out than the limit, half of it in receiving, and all comes back when all have ended", () => {
  fc.assert(
    fc.property(steps, (each) => {
      const budget = new MessageBudget(BUDGET);
      let refused = 0;
      const kept = new Set<number>();
      const evicted: number[] = [];
      const begin = (call: number) => budget.begin(ADDRESS, () => void evicted.push(call));
      const calls: MessageShare[] = Array.from({ length: 10 }, (_, call) => begin(call));
      for (const [call, what, bytes] of each) {
        const share = calls[call]!;
        const before = evicted.length;
        if (kept.has(call) && what !== "end") {
          assertEquals(share[what](bytes), false);
          continue;
        }
        if (what === "end") {
          share.end();
          share.end();
          calls[call] = begin(call);
          kept.delete(call);
        } else if (!share[what](bytes)) {
          refused++;
          share.end();
          assertEquals([share.receive(1), share.keep(1)], [false, false]);
          calls[call] = begin(call);
        } else if (what === "keep") kept.add(call);
        // Whoever is put out for others is called once, and takes nothing any more.
        for (const other of evicted.slice(before)) {
          assert(other !== call, "nobody is put out for itself");
          assertEquals(calls[other]!.receive(1), false);
          calls[other] = begin(other);
        }
        const { bytes: out, receivingBytes, peakBytes } = budget.view;
        assertLessOrEqual(out, LIMIT);
        assertLessOrEqual(receivingBytes, LIMIT / 2);
        assertLessOrEqual(receivingBytes, out);
        assertLessOrEqual(out, peakBytes);
        assert(receivingBytes >= 0);
      }
      assertEquals(budget.view.refused, refused + evicted.length);
      calls.forEach((share) => share.end());
      assertEquals([budget.view.bytes, budget.view.receivingBytes], [0, 0]);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("what is free is never refused, however much the others have taken", () => {
  const budget = new MessageBudget(BUDGET);
  const large = [0, 1].map(() => budget.begin(ADDRESS, () => {}));
  assertEquals(large.map((share) => share.keep(LIMIT)), [true, true]);
  const small = budget.begin(ADDRESS, () => {});
  assertEquals([small.receive(FREE_BYTES), small.keep(FREE_BYTES)], [true, true]);
  assertEquals(budget.begin(ADDRESS, () => {}).receive(FREE_BYTES + 100_000), false);
});

Deno.test("one message alone fits, whatever it becomes; then a second; then none", () => {
  const budget = new MessageBudget(BUDGET);
  const shares = [0, 1, 2, 3].map(() => budget.begin(ADDRESS, () => {}));
  assertEquals(shares.map((share) => share.keep(50 * LIMIT)), [true, true, false, false]);
  shares[0]!.end();
  assertEquals(budget.begin(ADDRESS, () => {}).keep(50 * LIMIT), true);
  assertEquals(budget.view.refused, 2);
});

Deno.test("who has been receiving for the longest goes first", () => {
  const budget = new MessageBudget(BUDGET);
  const evicted: string[] = [];
  const begin = (name: string) => budget.begin(ADDRESS, () => void evicted.push(name));
  const [first, second, third] = ["first", "second", "third"].map(begin);
  assertEquals([first!.receive(24_000), second!.receive(24_000)], [true, true]);
  assertEquals([evicted, third!.receive(24_000), evicted], [evicted, true, ["first"]]);
  assertEquals([first!.receive(1), first!.keep(1), second!.keep(24_000)], [false, false, true]);
});

Deno.test("one address has its share, another its own, and what ends gives it back", () => {
  const budget = new MessageBudget(BUDGET, 40_000);
  const begin = (address: string) => budget.begin(address, () => {});
  const [first, second, third] = [ADDRESS, ADDRESS, ADDRESS].map(begin);
  assertEquals([first!.receive(30_000), second!.receive(15_000), second!.receive(10_000)], [true, true, false]);
  assertEquals([begin(OTHER).keep(40_000), begin(OTHER).keep(40_000)], [true, false]);
  second!.end();
  assertEquals([third!.receive(15_000), third!.keep(15_000)], [true, true]);
  // One message alone always fits, into the share as well.
  for (const share of [first, third]) share!.end();
  assertEquals(begin(ADDRESS).keep(50 * LIMIT), true);
});

Deno.test("only a batch that becomes a large part of the budget waits for a turn", () => {
  const budget = new MessageBudget(64_000);
  assertEquals([budget.needsTurn(1_000), budget.needsTurn(1_001)], [false, true]);
  assertEquals([budget.view.bytesMax, budget.turns.bytesMax], [32_000, 32_000]);
});
