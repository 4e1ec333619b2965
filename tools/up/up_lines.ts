/** What `up` prints when it serves: lines to paste. */

const BUF = "npx -y @bufbuild/buf@1.74.0 curl";
const SERVICE = "inventory.v1.InventoryService";

/** A goods that the README's walk does not use. */
const GOODS_ID = 42;

/**
 * Three calls for a service at `url`: put stock in, sell some of it, look at what is left. The order is a new one at
 * every start, as data stays from one to the next. `ca`: the file of a certificate that is to be trusted for it; `key`:
 * a caller's, where one is asked for.
 */
export function linesToPaste(url: string, ca?: string, key?: string): string[] {
  // A certificate for this machine is seldom one that others trust.
  const trust = ca === undefined ? "-k" : `--cacert ${asWord(ca)}`;
  const transport = `--protocol grpc ${url.startsWith("https:") ? trust : "--http2-prior-knowledge"}`;
  // buf asks for the schema first, by reflection, to which it brings headers only where that is asked for.
  const credentials = key === undefined ? "" : ` -H 'authorization: Bearer ${key}' --reflect-header '*'`;
  const call = (method: string, body: unknown) =>
    `${BUF} ${transport}${credentials} -d '${JSON.stringify(body)}' ${url}/${SERVICE}/${method}`;
  return [
    call("SetInv", { goodsId: GOODS_ID, num: 10 }),
    call("Sell", { orderId: `try-${Date.now().toString(36)}`, goodsInfo: [{ goodsId: GOODS_ID, num: 3 }] }),
    call("InvDetail", { goodsId: GOODS_ID }),
  ];
}

/** Where this machine reaches what listens at `url`, which may be all of its addresses: these are no name of it. */
export function reachableUrl(url: string): string {
  return url.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]");
}

/** A path as one word of a shell, whatever is in it. */
function asWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
