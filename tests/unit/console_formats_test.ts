/** Numbers and times of the page in the reader's locale. */
import { assert, assertEquals } from "@std/assert";
import { formatsOf } from "../../src/console/parts/formats.ts";

Deno.test("numbers and times are written as the reader's locale has them", () => {
  const [en, zh] = [formatsOf("en"), formatsOf("zh-CN")];
  assertEquals([en.number(1234567), en.signed(5), en.signed(0)], ["1,234,567", "+5", "0"]);
  const now = 1_700_000_000_000;
  const ago = (ms: number) => [en.relative(now - ms, now), zh.relative(now - ms, now)];
  assertEquals(ago(3000), ["now", "现在"]);
  assertEquals(ago(42_000), ["42 seconds ago", "42秒钟前"]);
  assertEquals(ago(150_000), ["2 minutes ago", "2分钟前"]);
  assertEquals(ago(86_400_000), ["yesterday", "昨天"]);
  assertEquals(en.relative(now + 7_300_000, now), "in 2 hours");
  assert(formatsOf("en") === en, "formatters are made once");
});
