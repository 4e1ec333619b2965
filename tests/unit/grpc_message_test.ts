import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { respellGrpcMessage } from "../../src/transport/http2/headers.ts";

Deno.test("printable characters stay as they are, the rest and % are encoded", () => {
  const spelled: [text: string, expected: string][] = [
    ["", ""],
    ["plain", "plain"],
    [`a: b, "c" [d] {e} ~`, `a: b, "c" [d] {e} ~`],
    ["100%", "100%25"],
    ["%3A", "%253A"],
    ["ü", "%C3%BC"],
    ["a\r\nb\t\x7f\0", "a%0D%0Ab%09%7F%00"],
    [" a b ", "%20a b%20"],
    ["  ", "%20%20"],
  ];
  for (const [text, expected] of spelled) assertEquals(respellGrpcMessage(encodeURIComponent(text)), expected);
});

Deno.test("it is read as the same text, and is always a value that a header may have", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const spelled = respellGrpcMessage(encodeURIComponent(text));
    assertEquals(decodeURIComponent(spelled), text);
    assert(/^(?! )[\x20-\x7e]*(?<! )$/.test(spelled), spelled);
  }));
});

Deno.test("what is no encoding at all is left alone", () => {
  for (const text of ["100%", "%zz", "%3", "%c3%bc"]) assertEquals(respellGrpcMessage(text), text);
});
