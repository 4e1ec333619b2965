/** The conversation that a client in another language has with the service. */
import { assertEquals } from "@std/assert";
import { lockRow } from "./contention.ts";
import { v1Path } from "./raw_call.ts";
import { startReluctantServer } from "./reluctant_grpc.ts";
import { post, serverTest, startServer, type TestServer } from "./server.ts";
import type { Talk } from "./talks.ts";
import { TLS_CERTIFICATE, TLS_CERTIFICATE_FILE, WITH_TLS } from "./tls_server.ts";

const GOODS = 1;
/** A goods whose row a session keeps locked, so that a sale of it outlasts its deadline. */
const LOCKED = 2;

/** What each says, a line for each step. */
export const SAID: readonly string[] = [
  "health SERVING",
  "set 10",
  "sold 3",
  "again the same",
  "left 7 version 2",
  "short FAILED_PRECONDITION asked 99 available 7",
  "back 3",
  "patient 10",
  "late DEADLINE_EXCEEDED",
];

/**
 * A test of a gRPC client, connected as docs/clients.md says: in cleartext, over TLS unless `withoutTls` says why not,
 * and with a call that is retried.
 */
export function talkTest(client: string, build: (dir: string) => Promise<Talk>, withoutTls?: string): void {
  const limit = withoutTls === undefined ? "" : `, in cleartext only (${withoutTls})`;
  serverTest(`${client} has the conversation that docs/clients.md promises${limit}`, {}, async (server, step) => {
    const talk = await build(await Deno.makeTempDir());
    const talkTo = async (server: TestServer, ca = "") => {
      await post(server.url + v1Path("SetInv"), { goodsId: LOCKED, num: 10 }, ca === "" ? undefined : TLS_CERTIFICATE);
      await using _locked = await lockRow(server.databaseOwnerUrl, LOCKED);
      await using reluctant = await startReluctantServer();
      const host = new URL(server.url).host;
      const said = await talk.run([host, ca, "talk", String(GOODS), String(LOCKED), reluctant.address]);
      assertEquals(said, [...SAID, "retried 7"]);
      assertEquals(reluctant.calls, 2);
    };
    await step("in cleartext", () => talkTo(server));
    if (withoutTls !== undefined) return;
    await step("over TLS", async () => {
      await using secure = await startServer(WITH_TLS);
      await talkTo(secure, TLS_CERTIFICATE_FILE);
    });
  });
}
