import { assertEquals, assertThrows } from "@std/assert";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { Base64Decoder } from "../../src/rpc/universal/web_text.ts";
import { encodeBase64 } from "../../src/transport/own_answer.ts";

/** What comes of a text in these chunks. */
function decode(...chunks: string[]): string {
  const decoder = new Base64Decoder();
  const bytes = chunks.map((chunk) => decoder.decode(Buffer.from(chunk, "latin1")));
  decoder.end();
  return Buffer.concat(bytes).toString("latin1");
}

Deno.test("any bytes come back, wherever their text is padded, cut into chunks, or has white space", () => {
  const parts = fc.array(fc.tuple(fc.uint8Array(), fc.constantFrom("", "\r\n", " \t")), { maxLength: 6 });
  const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 7 }));
  fc.assert(fc.property(parts, sizes, (given, lengths) => {
    const text = given.map(([bytes, space]) => Buffer.from(encodeBase64(bytes)).toString("latin1") + space).join("");
    const chunks: string[] = [];
    for (let at = 0; at < text.length;) {
      const length: number = lengths.next().value!;
      chunks.push(text.slice(at, at += length));
    }
    assertEquals(decode(...chunks), Buffer.concat(given.map(([bytes]) => bytes)).toString("latin1"));
  }));
});

Deno.test("texts of RFC 4648, section 10, in both directions", () => {
  const vectors = [["f", "Zg=="], ["fo", "Zm8="], ["foo", "Zm9v"], ["foob", "Zm9vYg=="], ["fooba", "Zm9vYmE="]];
  for (const [plain = "", text = ""] of vectors) {
    assertEquals(decode(text), plain);
    assertEquals(Buffer.from(encodeBase64(Buffer.from(plain))).toString(), text);
  }
});

Deno.test("what is no base64 is refused by its first wrong byte, counted through all chunks", () => {
  const wrong: [chunks: string[], why: string][] = [
    [["Zm9v", "Y!=="], "0x21 at byte 6"],
    [["Zm9v-_"], "0x2d at byte 5"],
    [["\x00"], "0x00 at byte 1"],
    [["=m9v"], "0x3d at byte 1"],
    [["Z=9v"], "0x3d at byte 2"],
    [["Zg=v"], "0x76 at byte 4"],
    [["Zg==="], "0x3d at byte 5"],
    [["Zm9", "v", "Zg"], "it ends after 6 bytes, within a group of four characters"],
    [["Zg="], "it ends after 3 bytes"],
  ];
  for (const [chunks, why] of wrong) {
    const error = assertThrows(() => decode(...chunks), ConnectError, why);
    assertEquals(error.code, Code.InvalidArgument);
  }
});
