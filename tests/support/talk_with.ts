/** The conversation that a client in another language has with the service. */
import { assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { lockRow } from "./contention.ts";
import { v1Path } from "./raw_call.ts";
import { startReluctantServer } from "./reluctant_grpc.ts";
import { post, serverTest, startServer, type TestServer } from "./server.ts";
import type { Talk } from "./talks.ts";
import { TLS_CERTIFICATE, TLS_CERTIFICATE_FILE, WITH_TLS } from "./tls_server.ts";

const GOODS = 1;
/** A goods whose row a session keeps locked, so that a sale of it outlasts its deadline. */
const LOCKED = 2;
/** A goods that is being sold while the client watches it, and by which of them. */
const SOLD = 3;
const WATCHED = ["watch WATCH_START_SNAPSHOT", "watch WATCH_START_RESUMED", "watched without a gap"];
/** Streams end so soon that one is taken up again within the test. */
const SHORT_STREAMS = { WATCH_AGE_MS_MAX: "1000" };

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
export function talkTest(
  client: string,
  build: (dir: string) => Promise<Talk>,
  { withoutTls, watches = false }: { readonly withoutTls?: string; readonly watches?: boolean } = {},
): void {
  const limit = withoutTls === undefined ? "" : `, in cleartext only (${withoutTls})`;
  serverTest(
    `${client} has the conversation that docs/clients.md promises${limit}`,
    { env: SHORT_STREAMS },
    async (server, step) => {
      const talk = await build(await Deno.makeTempDir());
      const talkTo = async (server: TestServer, ca = "") => {
        await post(
          server.url + v1Path("SetInv"),
          { goodsId: LOCKED, num: 10 },
          ca === "" ? undefined : TLS_CERTIFICATE,
        );
        await using _locked = await lockRow(server.databaseOwnerUrl, LOCKED);
        await using reluctant = await startReluctantServer();
        const host = new URL(server.url).host;
        await using _selling = await sell(server, ca);
        const numbers = [GOODS, LOCKED].map(String);
        const said = await talk.run([host, ca, "talk", ...numbers, reluctant.address, ...watches ? [`${SOLD}`] : []]);
        assertEquals(said, [...SAID, "retried 7", ...watches ? WATCHED : []]);
        assertEquals(reluctant.calls, 2);
      };
      await step("in cleartext", () => talkTo(server));
      if (withoutTls !== undefined) return;
      await step("over TLS", async () => {
        await using secure = await startServer({ ...WITH_TLS, env: { ...WITH_TLS.env, ...SHORT_STREAMS } });
        await talkTo(secure, TLS_CERTIFICATE_FILE);
      });
    },
  );
}

/** Sells of a goods until it is disposed of. */
async function sell(server: TestServer, ca: string): Promise<AsyncDisposable> {
  const trusted = ca === "" ? undefined : TLS_CERTIFICATE;
  await post(server.url + v1Path("SetInv"), { goodsId: SOLD, num: 1_000_000 }, trusted);
  let isSelling = true;
  const selling = (async () => {
    for (let i = 0; isSelling; i++) {
      const order = { orderId: `sold-${i}`, goodsInfo: [{ goodsId: SOLD, num: 1 }] };
      await post(server.url + v1Path("Sell"), order, trusted);
      await delay(20);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isSelling = false;
      await selling;
    },
  };
}
