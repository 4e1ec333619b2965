// A conversation with Holdfast by grpc-js, a line for each step: talk.mjs ADDRESS CA ORDERS GOODS LOCKED RELUCTANT SOLD
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

// Blocks of docs/clients.md, which the test puts beside this file: where it is checked they are not there.
const block = (name) => import(new URL(name, import.meta.url).href);
const { ask, connect, details } = await block("connect.mjs");
const { watch } = await block("watch.mjs");

// Where nothing is to be late, however busy the machine is.
const PATIENT = { seconds: 30 };
const [address, ca, orders, goodsText, lockedText, reluctant, sold] = process.argv.slice(2);
const [goodsId, locked] = [Number(goodsText), Number(lockedText)];

const order = (name, goodsId, num) => ({ orderId: `${orders}-${name}`, goodsInfo: [{ goodsId, num }] });

/** What is thrown by a call that has to fail. */
async function errorOf(call) {
  const answer = await call.then(() => "an answer", (error) => error);
  if (answer === "an answer") throw new Error("a call that has to fail was answered");
  return answer;
}

async function talk() {
  const { health } = grpc.loadPackageDefinition(
    loader.loadSync("health/v1/health.proto", { includeDirs: ["node_modules/grpc-health-check/proto"], enums: String }),
  ).grpc;
  const { createInsecure, createSsl } = grpc.credentials;
  const probe = new health.v1.Health(address, ca === "" ? createInsecure() : createSsl(readFileSync(ca)));
  console.log("health", (await ask(probe, "Check", {}, PATIENT)).status);
  probe.close();
  const stock = connect("InventoryService", address, ca);
  console.log("set", (await ask(stock, "SetInv", { goodsId, num: 10 }, PATIENT)).num);
  const first = await ask(stock, "Sell", order(1, goodsId, 3), PATIENT);
  console.log("sold", first.goodsInfo[0].num);
  const again = await ask(stock, "Sell", order(1, goodsId, 3), PATIENT);
  const isSame = JSON.stringify(again) === JSON.stringify({ ...first, replayed: true });
  console.log("again", isSame ? "the same" : "another");
  const left = await ask(stock, "InvDetail", { goodsId }, PATIENT);
  console.log("left", left.num, "version", left.version);
  const short = await errorOf(ask(stock, "Sell", order(2, goodsId, 99), PATIENT));
  for (const { asked, available } of details(short, "inventory.v1.ShortStock")) {
    console.log("short", grpc.status[short.code], "asked", asked, "available", available);
  }
  console.log("back", (await ask(stock, "Rollback", { orderId: `${orders}-1` }, PATIENT)).goodsInfo[0].num);
  // Longer than the server's own longest.
  console.log("patient", (await ask(stock, "InvDetail", { goodsId }, { seconds: 300 })).num);
  const late = await errorOf(ask(stock, "Sell", order(3, locked, 1), { seconds: 0.2 }));
  console.log("late", grpc.status[late.code]);
  stock.close();
}

/** Watches a goods that is being sold until its stream has been taken up again; versions come one by one. */
async function watchSold() {
  const changes = connect("WatchService", address, ca);
  const method = (request, { signal }) => {
    const call = changes.WatchInv(request);
    signal.addEventListener("abort", () => call.cancel());
    return call;
  };
  const done = new AbortController();
  const starts = [];
  let version;
  await watch(method, { goodsIds: [Number(sold)] }, (message) => {
    if (message.event === "started") {
      const { start } = message.started;
      // A stream may end before it has brought a token.
      if (!starts.includes(start)) console.log("watch", start);
      starts.push(start);
    }
    if (message.event === "snapshot") version = BigInt(message.snapshot.levels[0].version);
    for (const change of message.event === "changes" ? message.changes.changes : []) {
      const expected = version + 1n + BigInt(change.folded);
      if (BigInt(change.level.version) !== expected) throw new Error(`${change.level.version}, not ${expected}`);
      version = expected;
      if (starts.at(-1) === "WATCH_START_RESUMED") done.abort();
    }
  }, { signal: done.signal });
  changes.close();
  console.log("watched without a gap");
}

await talk();
const retried = connect("InventoryService", reluctant, "");
console.log("retried", (await ask(retried, "InvDetail", { goodsId: 1 }, { seconds: 20 })).num);
retried.close();
await watchSold();
