/** From which time on transactions that are under way may have written rows, against a simple model. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TransactionsUnderWay } from "../../src/watch/under_way.ts";

const LATE_US = 1200;
const EVER = 0;

Deno.test("who writes above the snapshot is under way until it is over, and goes back to the look before the one that found it", () => {
  const underWay = new TransactionsUnderWay(LATE_US);
  underWay.begin({ xmax: 100, xip: [] }, { nowUs: 10_000, xids: [] }, () => EVER);
  assertEquals([underWay.sinceUs, underWay.isLookDue(10_099), underWay.isLookDue(10_100)], [8_800, false, true]);
  underWay.look({ nowUs: 10_100, xids: [105] }, 100);
  assertEquals(underWay.moveTo({ xmax: 100, xip: [] }, 10_150), Infinity);
  // It began after the look at 10,000; of others the next look is known to have nothing.
  assertEquals([underWay.sinceUs, underWay.coveredUs], [8_800, 10_100]);
  underWay.look({ nowUs: 20_000, xids: [105] }, 100);
  assertEquals(underWay.moveTo({ xmax: 106, xip: [] }, 20_050), 8_800);
  assertEquals(underWay.sinceUs, 20_000 - LATE_US);
});

Deno.test("who is under way and does not write at a look has written nothing earlier, nor has who gets the id of one that a crash ended", () => {
  const underWay = new TransactionsUnderWay(LATE_US);
  underWay.begin({ xmax: 100, xip: [90, 91] }, { nowUs: 10_000, xids: [91, 102] }, () => EVER);
  underWay.look({ nowUs: 20_000, xids: [91] }, 100);
  assertEquals(underWay.moveTo({ xmax: 100, xip: [90, 91] }, 20_050), Infinity);
  assertEquals(underWay.sinceUs, EVER);
  assertEquals(underWay.moveTo({ xmax: 100, xip: [90] }, 20_100), EVER);
  assertEquals(underWay.sinceUs, 20_000 - LATE_US);
  // 102 was gone at the look: whoever has its id now began after that.
  assertEquals(underWay.moveTo({ xmax: 103, xip: [] }, 20_150), 20_000 - LATE_US);
});

/** What happens next, in a world where one thing happens each 10 us. */
const STEP = fc.oneof(
  fc.constant("begin" as const),
  fc.record({ end: fc.nat(3) }),
  fc.record({ write: fc.nat(3) }),
  fc.record({ reads: fc.boolean() }),
);

Deno.test("no row is earlier than what is looked for, whoever hangs for however long", () => {
  fc.assert(fc.property(fc.array(STEP, { maxLength: 80 }), (steps) => {
    let nowUs = 100_000;
    let next = 100;
    let completed = 99;
    let readUs = nowUs;
    /** By id: when it wrote first; undefined: it has not yet. */
    const running = new Map<number, number | undefined>();
    const ended: { readonly xid: number; readonly atUs: number }[] = [];
    const underWay = new TransactionsUnderWay(LATE_US);
    const snapshot = () => ({
      xmax: completed + 1,
      xip: [...running.keys()].filter((xid) => xid <= completed).sort((a, b) => a - b),
    });
    const writers = () => ({ nowUs, xids: [...running].flatMap(([xid, atUs]) => atUs === undefined ? [] : [xid]) });
    underWay.begin(snapshot(), writers(), () => EVER);
    let xmax = snapshot().xmax;
    const read = (looks: boolean) => {
      if (looks) underWay.look(writers(), xmax);
      const seen = snapshot();
      const begunUs = Math.min(readUs, underWay.coveredUs);
      const overUs = underWay.moveTo(seen, begunUs);
      for (const { xid, atUs } of ended.splice(0)) {
        // It came with this read, which goes back so far, or it is looked for.
        assert(atUs >= Math.min(begunUs - LATE_US, overUs), `${xid} of ${atUs}, over ${overUs}, begun ${begunUs}`);
      }
      for (const atUs of running.values()) assert(atUs === undefined || atUs >= underWay.sinceUs);
      ({ xmax } = seen);
      readUs = nowUs;
    };
    for (const step of steps) {
      nowUs += 10;
      const of = (at: number) => [...running.keys()][at];
      if (step === "begin") running.set(next++, undefined);
      else if ("reads" in step) read(step.reads || underWay.isLookDue(nowUs));
      else {
        const xid = of("end" in step ? step.end : step.write);
        if (xid === undefined) continue;
        if ("write" in step) running.set(xid, running.get(xid) ?? nowUs - LATE_US);
        else {
          const atUs = running.get(xid);
          if (atUs !== undefined) ended.push({ xid, atUs });
          running.delete(xid);
          completed = Math.max(completed, xid);
        }
      }
    }
    read(true);
  }));
});
