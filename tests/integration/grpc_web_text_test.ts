/**
 * gRPC-web as text, as Google's client speaks it: requests and answers in base64, answers and streams that can be read
 * chunk by chunk, and errors in trailers that are base64 too.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { eachVersion, type VersionAnswer } from "../support/http_versions.ts";
import { CHECK, WATCH, withListener } from "../support/listening.ts";
import { bytesField, grpcMessage } from "../support/raw_call.ts";

const TEXT = "application/grpc-web-text";
/** As `grpc-web` of npm sends it with `mode=grpcwebtext`. */
const GOOGLE = { "content-type": TEXT, accept: TEXT, "x-user-agent": "grpc-web-javascript/0.1", "x-grpc-web": "1" };
const SERVING = "0801";
const READ_BYTES_MAX = 65_536;

const EMPTY = grpcMessage(Buffer.alloc(0));
const base64 = (bytes: Uint8Array) => Buffer.from(Buffer.from(bytes).toString("base64"));

Deno.test("a call as text is answered as text, however its base64 is padded and cut", async (t) => {
  const asked = grpcMessage(bytesField(1, Buffer.from("a service")));
  const text = base64(asked).toString();
  const bodies: Record<string, Buffer[]> = {
    "as one": [base64(asked)],
    "byte by byte": [...text].map((character) => Buffer.from(character)),
    "prefix and message padded each": [base64(asked.subarray(0, 5)), base64(asked.subarray(5))],
    "each byte padded": [Buffer.concat([...asked].map((byte) => base64(Buffer.of(byte))))],
    "in lines, as base64 of the shell": [Buffer.from(text.replace(/.{8}/g, "$&\r\n") + "\n")],
    "an empty message": [base64(EMPTY)],
  };
  await withListener({}, async ({ listener }) => {
    await eachVersion(listener.url, async (version, { request }) => {
      for (const [name, body] of Object.entries(bodies)) {
        await t.step(`${version}: ${name}`, async () => {
          assertEquals(read(await request("POST", CHECK, GOOGLE, body)), [SERVING, "grpc-status: 0"]);
        });
      }
    });
  });
});

Deno.test("which side is text is said by content type and accept, each for its own", async () => {
  const sides: [headers: Record<string, string>, isText: boolean, answered: string][] = [
    [{ "content-type": TEXT }, true, `${TEXT}+proto`],
    [{ "content-type": `${TEXT}+proto`, accept: "*/*" }, true, `${TEXT}+proto`],
    [{ "content-type": "Application/GRPC-web-TEXT+proto" }, true, `${TEXT}+proto`],
    [{ "content-type": TEXT, accept: "application/grpc-web+proto" }, true, "application/grpc-web+proto"],
    [{ "content-type": "application/grpc-web+proto", accept: `${TEXT}+proto` }, false, `${TEXT}+proto`],
    [{ "content-type": "application/grpc-web", accept: "application/grpc-web" }, false, "application/grpc-web+proto"],
  ];
  await withListener({}, async ({ listener }) => {
    await eachVersion(listener.url, async (version, { request }) => {
      for (const [headers, isText, answered] of sides) {
        const answer = await request("POST", CHECK, headers, [isText ? base64(EMPTY) : EMPTY]);
        assertEquals(answer.headers["content-type"], answered, `${version} ${JSON.stringify(headers)}`);
        assertEquals(read(answer), [SERVING, "grpc-status: 0"]);
      }
      const json = grpcMessage(Buffer.from("{}"));
      const answer = await request("POST", CHECK, { "content-type": `${TEXT}+json` }, [base64(json)]);
      assertEquals(answer.headers["content-type"], `${TEXT}+json`);
      assertEquals(JSON.parse(Buffer.from(read(answer)[0]!, "hex").toString()), { status: "SERVING" });
    });
  });
});

Deno.test("gzip within it, in both directions", async () => {
  await withListener({}, async ({ listener }) => {
    await eachVersion(listener.url, async (_version, { request }) => {
      const packed = grpcMessage(gzipSync(Buffer.alloc(0)), { compressed: true });
      const answer = await request("POST", CHECK, { ...GOOGLE, "grpc-encoding": "gzip" }, [base64(packed)]);
      assertEquals(read(answer), [SERVING, "grpc-status: 0"]);
    });
  });
});

Deno.test("what is wrong with it is said in trailers as text", async (t) => {
  const tooLarge = grpcMessage(Buffer.alloc(READ_BYTES_MAX + 1));
  const wrong: Record<string, [body: Buffer, code: number, text: string]> = {
    "no base64": [Buffer.from("AAAA!AAA"), 3, "the body is not base64: 0x21 at byte 5"],
    "bytes that were not encoded": [EMPTY, 3, "the body is not base64: 0x00 at byte 1"],
    "half a group": [base64(EMPTY).subarray(0, 6), 3, "within a group of four characters"],
    "half a message": [base64(EMPTY.subarray(0, 3)), 3, "incomplete envelope"],
    "a message that can't be read": [base64(grpcMessage(Buffer.of(0xff))), 3, "the message can't be read"],
    "two messages": [base64(Buffer.concat([EMPTY, EMPTY])), 12, "extra input message"],
    "a message that is too large": [base64(tooLarge), 8, "is larger than"],
    "white space without an end": [Buffer.alloc(4 * (5 + READ_BYTES_MAX) + 1, " "), 8, "bytes of base64"],
  };
  await withListener({}, async ({ listener }) => {
    await eachVersion(listener.url, async (version, { request }) => {
      for (const [name, [body, code, text]] of Object.entries(wrong)) {
        await t.step(`${version}: ${name}`, async () => {
          const answer = await request("POST", CHECK, GOOGLE, [body]);
          assertEquals([answer.status, answer.headers["content-type"]], [200, `${TEXT}+proto`]);
          const [trailers = "", ...more] = read(answer);
          assertEquals(more, []);
          assertStringIncludes(trailers, `grpc-status: ${code}`);
          assertStringIncludes(decodeURIComponent(trailers), text);
        });
      }
    });
  });
});

Deno.test("a stream as text can be read as it comes", async () => {
  for (const asked of ["HTTP/1.1", "HTTP/2"]) {
    await withListener({}, async ({ listener, open }) => {
      await eachVersion(listener.url, async (version, { request }) => {
        if (version !== asked) return;
        const first = Promise.withResolvers<string>();
        const answer = request("POST", WATCH, GOOGLE, [base64(EMPTY)], (body) => first.resolve(body.toString()));
        // It is kept back until what came first has been read.
        const came = await Promise.race([first.promise, answer.then(() => "")]);
        assertEquals(Buffer.from(came, "base64").toString("hex"), `0000000002${SERVING}`);
        open();
        assertEquals(read(await answer), [SERVING, SERVING, "grpc-status: 0"]);
      });
    });
  }
});

/**
 * The messages of an answer in hexadecimal, and its trailers. Base64 that is padded in between is read group by group.
 */
function read({ headers, body }: VersionAnswer): string[] {
  const isText = String(headers["content-type"]).startsWith(TEXT);
  const groups = isText ? body.toString().match(/.{4}/g) ?? [] : [];
  const bytes = isText ? Buffer.concat(groups.map((group) => Buffer.from(group, "base64"))) : body;
  const frames: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    const isTrailers = (bytes[at]! & 0x80) !== 0;
    assert(isTrailers === (end === bytes.length), "trailers are the end");
    const content = bytes.subarray(at + 5, end);
    frames.push(isTrailers ? content.toString().trim() : content.toString("hex"));
    at = end;
  }
  return frames;
}
