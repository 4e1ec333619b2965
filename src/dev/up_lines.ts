/** What `up` prints when it serves: lines to paste. */

const BUF = "npx -y @bufbuild/buf@1.74.0 curl";
const SERVICE = "inventory.v1.InventoryService";

/** Three calls for a service at `url`: put stock in, sell some of it, look at what is left. */
export function linesToPaste(url: string): string[] {
  // A certificate for this machine is seldom one that others trust.
  const transport = url.startsWith("https:") ? "--protocol grpc -k" : "--protocol grpc --http2-prior-knowledge";
  const call = (method: string, body: unknown) =>
    `${BUF} ${transport} -d '${JSON.stringify(body)}' ${url}/${SERVICE}/${method}`;
  return [
    call("SetInv", { goodsId: 1, num: 10 }),
    call("Sell", { orderId: "first-order", goodsInfo: [{ goodsId: 1, num: 3 }] }),
    call("InvDetail", { goodsId: 1 }),
  ];
}
