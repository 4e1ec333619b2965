/**
 * gRPC clients of other languages, connected as docs/clients.md says: each has the same conversation, in cleartext and
 * over TLS, and calls again what was UNAVAILABLE.
 */
import { assertEquals } from "@std/assert";
import { holdRow } from "../support/holding.ts";
import { v1Path } from "../support/raw_call.ts";
import { startReluctantServer } from "../support/reluctant_grpc.ts";
import { post, serverTest, startServer, type TestServer } from "../support/server.ts";
import { TALKS_BY_LANGUAGE } from "../support/talks.ts";
import { TLS_CERTIFICATE, TLS_CERTIFICATE_FILE, WITH_TLS } from "../support/tls_server.ts";

/** A goods whose row a session keeps locked, so that a sale of it outlasts its deadline. */
const HELD = 9999;

const EXPECTED = [
  "health SERVING",
  "set 10",
  "sold 3",
  "again the same",
  "left 7 version 2",
  "short FAILED_PRECONDITION asked 99 available 7",
  "back 3",
  "patient 10",
  "late DEADLINE_EXCEEDED",
  "retried 7",
];

serverTest(
  "clients of other languages have the conversation that docs/clients.md promises",
  {},
  async (server, step) => {
    await using secure = await startServer(WITH_TLS);
    await using _held = await hold(server);
    await using _heldToo = await hold(secure, TLS_CERTIFICATE);
    for (const [number, [language, build]] of Object.entries(TALKS_BY_LANGUAGE).entries()) {
      await step(language, async () => {
        const talk = await build(await Deno.makeTempDir());
        for (const { url, ca } of [{ url: server.url, ca: "" }, { url: secure.url, ca: TLS_CERTIFICATE_FILE }]) {
          await using reluctant = await startReluctantServer();
          const said = await talk.run([
            new URL(url).host,
            ca,
            language,
            String(number + 1),
            String(HELD),
            reluctant.address,
          ]);
          assertEquals(said, EXPECTED, `${language}, ${url}`);
          assertEquals(reluctant.calls, 2);
        }
      });
    }
  },
);

/** Makes the goods, and locks its row until the end of the block. */
async function hold(server: TestServer, ca?: string): Promise<AsyncDisposable> {
  await post(server.url + v1Path("SetInv"), { goodsId: HELD, num: 10 }, ca);
  return await holdRow(server.databaseOwnerUrl, HELD);
}
