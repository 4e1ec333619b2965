/** The calls of the article's contract as bytes, the same for both services. */
import { join } from "node:path";
import { varint } from "../load/messages.ts";
import { GrpcConnection } from "../load/grpc_connection.ts";
import type { MeasuredServer } from "./measured_server.ts";
import { GOODS, type VersusScenario } from "./scenarios.ts";

/** GoodInvInfo: a goods and nothing else. */
export function detailRequest(goodsId: number): Uint8Array {
  return Uint8Array.from([0x08, ...varint(goodsId)]);
}

/** SellInfo: one unit of a goods, and no order id. */
export function sellRequest(goodsId: number): Uint8Array {
  const id = varint(goodsId);
  return Uint8Array.from([0x0a, id.length + 3, 0x08, ...id, 0x10, 1]);
}

/** Path of a method's calls. */
export function pathOf(method: VersusScenario["method"]): string {
  return `/inventory/${method}`;
}

/** Files with the bodies of all calls. */
export interface Bodies {
  file(method: VersusScenario["method"], goodsId: number): string;
}

/** Writes them into `dir`, each framed as gRPC has it. */
export async function writeBodies(dir: string): Promise<Bodies> {
  const file = (method: string, goodsId: number) => join(dir, `${method}-${goodsId}.bin`);
  for (let goodsId = 1; goodsId <= GOODS; goodsId++) {
    await Deno.writeFile(file("InvDetail", goodsId), framed(detailRequest(goodsId)));
    await Deno.writeFile(file("Sell", goodsId), framed(sellRequest(goodsId)));
  }
  return { file };
}

function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.from([0, 0, 0, 0, message.length, ...message]);
}

/**
 * Makes one call of each kind: h2load does not see whether a call did what it should.
 *
 * @throws Error where it did not
 */
export async function tryBoth({ url, sold }: MeasuredServer): Promise<void> {
  const before = await sold();
  for (const [method, message] of [["InvDetail", detailRequest(1)], ["Sell", sellRequest(1)]] as const) {
    const connection = await GrpcConnection.connect(url, pathOf(method));
    const { status } = await connection.call(message);
    connection.close();
    if (status !== 0) throw new Error(`${method} of ${url} was answered with gRPC status ${status}`);
  }
  const units = await sold() - before;
  if (units !== 1) throw new Error(`one unit was sold at ${url}, and ${units} left the tables`);
}
