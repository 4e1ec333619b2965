import { assert, assertEquals } from "@std/assert";
import { errorFields } from "../../src/telemetry/log.ts";

Deno.test("errorFields() takes name, message, code and causes, and nothing that a driver hangs on an error", () => {
  const cause = Object.assign(new Error("duplicate key"), {
    code: "23505",
    query: "insert secret",
    parameters: ["secret"],
  });
  const fields = errorFields(Object.assign(new TypeError("outer", { cause }), { options: { password: "secret" } }));
  assertEquals(fields.name, "TypeError");
  assertEquals(fields.cause, { name: "Error", message: "duplicate key", code: "23505" });
  assert(!JSON.stringify(fields).includes("secret"));
});

Deno.test("errorFields() bounds long texts and endless causes", () => {
  const endless = new Error("x".repeat(100_000));
  endless.cause = endless;
  assert(JSON.stringify(errorFields(endless)).length < 20_000);
});

Deno.test("errorFields() copes with what is no error", () => {
  assertEquals(errorFields("just a text"), { message: "just a text" });
});
