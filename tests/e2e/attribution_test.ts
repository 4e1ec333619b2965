/**
 * What a write was for, and who asked for it, stands in the ledger; what can't stand there is refused. That nobody says
 * it from another machine is a unit test: these servers are on loopback only.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import postgres from "postgres";
import { eachVersion } from "../support/http_versions.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { grpcMessage, rawGrpc, v1Path } from "../support/raw_call.ts";
import { serverTest } from "../support/server.ts";

const ACTOR = "x-holdfast-actor";
const WHY = { reason: "correction", documentUri: "https://shop.example/po/7" };

serverTest("reason, document and actor stand beside what moved", {}, async (server, step) => {
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  const ledger = async (goodsId: number) =>
    (await owner`select kind, reason, document_uri, actor from movements where goods_id = ${goodsId} order by version`)
      .map(({ kind, reason, document_uri, actor }) => [kind, reason, document_uri, actor]);
  const rows = async () => (await owner`select count(*)::int as n from movements`)[0]!.n;

  await eachVersion(server.url, async (version, { request }) => {
    const goodsId = version === "HTTP/2" ? 2 : 1;
    const post = async (path: string, message: unknown, actor?: string, more: Record<string, string> = {}) => {
      const headers = {
        "content-type": "application/json",
        ...(actor === undefined ? {} : { [ACTOR]: actor }),
        ...more,
      };
      const { status, body } = await request("POST", path, headers, [Buffer.from(JSON.stringify(message))]);
      return [status, JSON.parse(body.toString()).code];
    };
    const goodsInfo = [{ goodsId, num: 1 }];

    await step(`${version}: of every write, batches and the article's included`, async () => {
      const order = (n: string) => ({ orderId: `${goodsId}-${n}`, goodsInfo });
      const written: [path: string, message: unknown][] = [
        [v1Path("SetInv"), { goodsId, num: 10, ...WHY }],
        [v1Path("Sell"), { ...order("a"), ...WHY }],
        [v1Path("Rollback"), { orderId: `${goodsId}-a`, ...WHY }],
        [v1Path("Rollback"), { goodsInfo, rollbackId: `${goodsId}-r`, ...WHY }],
        [v1Path("SellBatch"), { orders: [{ ...order("b"), ...WHY }, order("c")] }],
        [v1Path("RollbackBatch"), { rollbacks: [{ orderId: `${goodsId}-b`, ...WHY }] }],
        ["/inventory/Sell", { goodsInfo }],
      ];
      for (const [path, message] of written) assertEquals(await post(path, message, "till 4"), [200, undefined], path);
      assertEquals(await post(v1Path("Sell"), order("d")), [200, undefined]);
      const said = [WHY.reason, WHY.documentUri, "till 4"];
      assertEquals(await ledger(goodsId), [
        ["set", ...said],
        ["sell", ...said],
        ["rollback", ...said],
        ["give_back", ...said],
        ["sell", ...said],
        ["sell", null, null, "till 4"],
        ["rollback", ...said],
        ["sell", null, null, "till 4"],
        ["sell", null, null, null],
      ]);
    });

    await step(`${version}: of holds and stock as well; a bad one ends the call, and nothing moved`, async () => {
      const goodsId = version === "HTTP/2" ? 12 : 11;
      const orderId = `hold-${goodsId}`;
      const goodsInfo = [{ goodsId, num: 1 }];
      const [hold, stock] = ["/inventory.v1.HoldService/", "/inventory.v1.StockService/"];
      const written: [kind: string, path: string, message: Record<string, unknown>][] = [
        ["set", v1Path("SetInv"), { goodsId, num: 10 }],
        ["reserve", `${hold}Reserve`, { orderId, goodsInfo }],
        ["extend", `${hold}ExtendHold`, { orderId, ttl: "86400s" }],
        ["confirm", `${hold}ConfirmHold`, { orderId }],
        ["reserve", `${hold}Reserve`, { orderId: `${orderId}b`, goodsInfo }],
        ["release", `${hold}ReleaseHold`, { orderId: `${orderId}b` }],
        ["adjust", `${stock}AdjustInv`, { lines: [{ goodsId, delta: 2 }] }],
        ["count", `${stock}CountInv`, { goodsId, num: 5 }],
        ["transfer", `${stock}TransferInv`, { toLocationId: 1, lines: goodsInfo }],
        ["policy", `${stock}SetPolicy`, { goodsId, policy: { safetyStock: 1 } }],
        ["delete", `${stock}DeleteInv`, { goodsId }],
        ["restore", `${stock}RestoreInv`, { goodsId }],
      ];
      for (const [, path, message] of written) {
        const before = await rows();
        const bad = [{ ...message, ...WHY, documentUri: "a\u202eb" }, { ...message, reason: "because" }, message];
        const actors = ["clerk", undefined, "mallory, clerk"];
        for (const [i, one] of bad.entries()) {
          assertEquals(await post(path, one, actors[i]), [400, "invalid_argument"], `${path} ${i}`);
        }
        assertEquals(await rows(), before);
        assertEquals(await post(path, { ...message, ...WHY }, "clerk"), [200, undefined], path);
      }
      const operations = [{ adjustInv: { lines: [{ goodsId, delta: 2 }], ...WHY } }, { sell: { goodsInfo, ...WHY } }];
      assertEquals(await post(`${stock}ApplyBatch`, { operations }, "clerk, and others"), [400, "invalid_argument"]);
      assertEquals(await post(`${stock}ApplyBatch`, { operations }, "clerk"), [200, undefined]);
      // A transfer is a movement at both locations.
      const kinds = [...written.map(([kind]) => kind), "transfer", "adjust", "sell"];
      const expected = kinds.map((kind) => [kind, WHY.reason, WHY.documentUri, "clerk"]);
      assertEquals((await ledger(goodsId)).toSorted(), expected.toSorted());
    });

    await step(`${version}: what breaks a rule ends the call, of a batch as a whole, and nothing moved`, async () => {
      const before = await rows();
      for (const actor of ["a".repeat(129), "mallory, till 4", "zo\u00eb", "a\tb"]) {
        const orders = [{ goodsInfo }];
        assertEquals(await post(v1Path("Sell"), orders[0], actor), [400, "invalid_argument"], actor);
        assertEquals(await post(v1Path("SellBatch"), { orders }, actor), [400, "invalid_argument"], actor);
      }
      for (const documentUri of ["x".repeat(4096), "a\u0000b", "\u202eabc", "a\u0085b", "caf\u00e9"]) {
        assertEquals(await post(v1Path("Sell"), { goodsInfo, documentUri }), [400, "invalid_argument"], documentUri);
      }
      assertEquals(await rows(), before);
    });

    await step(
      `${version}: what a proxy has passed on is no call of this machine's own, and nothing moved`,
      async () => {
        const before = await rows();
        for (const name of ["x-forwarded-for", "forwarded", "X-Forwarded-For"]) {
          for (const value of ["127.0.0.1", "for=127.0.0.1", "203.0.113.5, ::1", ""]) {
            for (
              const [path, message] of [["Sell", { goodsInfo }], ["SellBatch", { orders: [{ goodsInfo }] }]] as const
            ) {
              const ended = await post(v1Path(path), message, "till 4", { [name]: value });
              assertEquals(ended, [403, "permission_denied"], `${name}: ${value}`);
            }
            assertEquals(await post(v1Path("InvDetail"), { goodsId }, undefined, { [name]: value }), [200, undefined]);
          }
        }
        assertEquals(await rows(), before);
      },
    );

    await step(`${version}: a reason is one of the shop's, from when it is added on`, async () => {
      const reason = `window_${goodsId}`;
      const asked = { goodsInfo, reason };
      const before = await rows();
      assertEquals(await post(v1Path("Sell"), asked), [400, "invalid_argument"]);
      assertEquals(await post(v1Path("Rollback"), asked), [400, "invalid_argument"]);
      assertEquals(await post(v1Path("SetInv"), { goodsId, num: 5, reason }), [400, "invalid_argument"]);
      // Not even to know what would come of it.
      assertEquals(await post(v1Path("Sell"), { ...asked, dryRun: true }), [400, "invalid_argument"]);
      // What else is wrong is said before a goods has its name.
      assertEquals(await post(v1Path("SetInv"), { goodsId, num: 5, sku: reason, reason }), [400, "invalid_argument"]);
      assertEquals(await rows(), before);
      assertEquals((await owner`select from goods where sku = ${reason}`).length, 0);

      const batch = { orders: [asked, { goodsInfo }, { ...asked, goodsInfo: [] }] };
      const body = Buffer.from(JSON.stringify(batch));
      const answer = await request("POST", v1Path("SellBatch"), { "content-type": "application/json" }, [body]);
      const { verdicts } = JSON.parse(answer.body.toString());
      // What each is refused for, by the first field.
      const ended = verdicts.map(({ error }: { error?: { message: string } }) =>
        error?.message.split(":")[0] ?? "sold"
      );
      assertEquals(ended, ["reason", "sold", "goods_info"]);

      const added = { reason: { code: reason, description: "Sold from the shop window" } };
      assertEquals(await post("/inventory.v1.GoodsService/AddReason", added), [200, undefined]);
      assertEquals(await post(v1Path("Sell"), asked), [200, undefined]);
      assertEquals((await ledger(goodsId)).at(-1), ["sell", reason, null, null]);
    });

    await step(`${version}: a read does not look at it`, async () => {
      assertEquals(await post(v1Path("InvDetail"), { goodsId }, "a, b"), [200, undefined]);
    });
  });

  await step("two fields of the name are two actors, and none is believed", async () => {
    const before = await rows();
    const body = JSON.stringify({ goodsInfo: [{ goodsId: 1, num: 1 }] });
    const peer = await RawPeer.http1(server.port);
    peer.send(
      `POST ${v1Path("Sell")} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${ACTOR}: mallory\r\n` +
        `X-Holdfast-Actor: till 4\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await peer.closed;
    assertEquals(peer.text.split("\r\n", 1), ["HTTP/1.1 400 Bad Request"]);
    const twice = await rawGrpc(server.url, {
      headers: { [ACTOR]: ["mallory", "till 4"] },
      body: grpcMessage(new Uint8Array()),
    });
    assertEquals(twice, `INVALID_ARGUMENT ${ACTOR}`);
    assertEquals(await rows(), before);
  });

  await step("a field that is folded, or ends in the middle, is no field", async () => {
    const before = await rows();
    for (const field of [`${ACTOR}: a\r\n b`, `${ACTOR}: a\nb`, `${ACTOR}: a\0b`, `${ACTOR} : a`]) {
      const peer = await RawPeer.http1(server.port);
      const body = JSON.stringify({ goodsInfo: [{ goodsId: 1, num: 1 }] });
      peer.send(
        `POST ${v1Path("Sell")} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${field}\r\n` +
          `connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await peer.closed;
      assertEquals(peer.text.split(" ")[1], "400", JSON.stringify(field));
    }
    assertEquals(await rows(), before);
  });

  await owner.end();
});
