/** What an HTTP answer says of a call: applied, refused for certain, or not known. */
import { assertEquals } from "@std/assert";
import { classify, CUT } from "../faults/suite/history.ts";

const error = (code: string, reason?: string) =>
  JSON.stringify({ code, details: reason === undefined ? [] : [{ type: "google.rpc.ErrorInfo", debug: { reason } }] });

Deno.test("an answer of 200 is ok, with its body", () => {
  assertEquals(classify(200, `{"num":1}`), { outcome: "ok", body: { num: 1 } });
});

Deno.test("an error is a definite refusal, but for those after which nobody knows", () => {
  const outcomes = [
    ["failed_precondition"],
    ["aborted", "GOODS_BUSY"],
    ["resource_exhausted", "QUEUE_FULL"],
    ["unavailable", "NO_LOCK_QUORUM"],
    ["unavailable", "DATABASE_UNAVAILABLE"],
    ["unavailable", "OUTCOME_UNKNOWN"],
    ["deadline_exceeded"],
    ["canceled"],
  ].map(([code, reason]) => [code, reason, classify(500, error(code!, reason)).outcome]);
  assertEquals(outcomes.map(([, , outcome]) => outcome), [...Array(5).fill("refused"), ...Array(3).fill("unknown")]);
});

Deno.test("what can't be read, or does not come from the service, is an answer that was never had", () => {
  for (const body of ["", "<html>", "null", "1", `{"message":"no code"}`, `{"num":`]) {
    assertEquals(classify(502, body), CUT);
  }
});
