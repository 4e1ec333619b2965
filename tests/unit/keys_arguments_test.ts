/** What `deno task keys` takes, and what it refuses. */
import { assertEquals, assertThrows } from "@std/assert";
import { newKey } from "../../src/auth/keys/key_text.ts";
import { parseCommand, UsageError } from "../../src/keys/arguments.ts";

const NOW_MS = Date.parse("2026-11-28T12:00:00Z");
const seller = ["add", "till 7", "--rights", "seller"];

Deno.test("add, list and revoke, and when a key expires", () => {
  const expiry = (text: string) => {
    const command = parseCommand([...seller, "--expires", text], NOW_MS);
    return command.verb === "add" ? command.expires : undefined;
  };
  assertEquals(parseCommand(seller, NOW_MS), { verb: "add", name: "till 7", rights: ["seller"], expires: undefined });
  assertEquals(parseCommand(["add", "--rights=stocker,reader", "x"], NOW_MS), {
    verb: "add",
    name: "x",
    rights: ["stocker", "reader"],
    expires: undefined,
  });
  assertEquals(expiry("90d"), { inDays: 90 });
  assertEquals(expiry("2026-11-29"), { at: "2026-11-29T00:00:00.000Z" });
  assertEquals(expiry("2026-11-28T12:01Z"), { at: "2026-11-28T12:01:00.000Z" });
  assertEquals(parseCommand(["list"], NOW_MS), { verb: "list" });
  assertEquals(parseCommand(["revoke", "abc123abc123"], NOW_MS), { verb: "revoke", id: "abc123abc123" });
});

Deno.test("what is asked otherwise is refused, by what was expected, and no key is repeated", () => {
  const { key } = newKey();
  const expires = (text: string) => [...seller, "--expires", text];
  const refused: [args: string[], said: string][] = [
    [[], "expected add, list or revoke"],
    [["drop", "x"], "expected add, list or revoke"],
    [["add"], "add expects a name"],
    [["add", "a,b", "--rights", "seller"], "add expects a name"],
    [["add", " till", "--rights", "seller"], "add expects a name"],
    [["add", "till", "8", "--rights", "seller"], "no more than one name or id"],
    [["add", "till"], "--rights expects"],
    [["add", "till", "--rights", ""], "--rights expects"],
    [["add", "till", "--rights", "king"], "--rights expects"],
    [["add", "till", "--rights", "anyone"], "--rights expects"],
    [["add", "till", "--rights", "seller, reader"], "--rights expects"],
    [["add", "till", "--rights", "seller,seller"], "--rights expects"],
    [expires("0d"), "--expires expects"],
    [expires("3651d"), "--expires expects"],
    [expires("2026-11-28"), "--expires expects"],
    [expires("2026-13-01"), "--expires expects"],
    [expires("2027-02-29"), "--expires expects"],
    [expires("2027-01-31T24:00Z"), "--expires expects"],
    [expires("tomorrow"), "--expires expects"],
    [[...seller, "--forever"], "forever"],
    [["revoke"], "revoke expects the id"],
    [["revoke", key], "revoke expects the id"],
    [["revoke", "abc123abc123", "--rights", "seller"], "of add only"],
    [["list", "all"], "list takes nothing"],
  ];
  for (const [args, said] of refused) {
    const error = assertThrows(() => parseCommand(args, NOW_MS), UsageError, said, args.join(" "));
    assertEquals(error.message.includes(key), false);
  }
});
