/**
 * The requests of inventory.v1 as bytes, and as much of the answers as is counted. Written by hand so that the client
 * costs as little as it can; a unit test compares them with the generated code. Pure.
 */

const LENGTH_DELIMITED = 2;
const ENCODER = new TextEncoder();

/** InvDetailRequest. */
export function invDetailRequest(goodsId: number): Uint8Array {
  return Uint8Array.from([0x08, ...varint(goodsId)]);
}

/** SellRequest: one unit of each goods. */
export function sellRequest(orderId: string, goodsIds: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const goodsId of goodsIds) {
    const id = varint(goodsId);
    // goods_info = 1 { goods_id = 1, num = 2 }
    bytes.push(0x0a, id.length + 3, 0x08, ...id, 0x10, 1);
  }
  const id = ENCODER.encode(orderId);
  bytes.push(0x12, ...varint(id.length), ...id);
  return Uint8Array.from(bytes);
}

/** SellBatchRequest: `orders` = 1, repeated. */
export function sellBatchRequest(orders: readonly Uint8Array[]): Uint8Array {
  const parts = orders.map((order) => ({ head: [0x0a, ...varint(order.length)], order }));
  const batch = new Uint8Array(parts.reduce((sum, { head, order }) => sum + head.length + order.length, 0));
  let at = 0;
  for (const { head, order } of parts) {
    batch.set(head, at);
    batch.set(order, at + head.length);
    at += head.length + order.length;
  }
  return batch;
}

/** gRPC status codes of a SellBatchResponse's verdicts, in order; 0: sold. */
export function sellBatchCodes(response: Uint8Array): number[] {
  return fieldsOf(response).filter(({ field }) => field === 1).map(({ bytes }) => {
    const [verdict] = fieldsOf(bytes);
    if (verdict?.field === 1) return 0;
    if (verdict?.field !== 2) throw new Error("A result of SellBatch has no verdict");
    // google.rpc.Status { code = 1 }
    return fieldsOf(verdict.bytes).find(({ field }) => field === 1)?.value ?? 0;
  });
}

interface Field {
  readonly field: number;
  /** Of a varint. */
  readonly value: number;
  /** Of a length-delimited field, else empty. */
  readonly bytes: Uint8Array;
}

/** The fields of a message that has none but varints and length-delimited ones. */
function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const read = () => {
    let value = 0;
    let scale = 1;
    for (; at < message.length; scale *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Error("A message ends in the middle of a number");
  };
  while (at < message.length) {
    const tag = read();
    const value = read();
    const delimited = (tag & 7) === LENGTH_DELIMITED;
    fields.push({
      field: tag >> 3,
      value,
      bytes: delimited ? message.subarray(at, at + value) : message.subarray(0, 0),
    });
    if (delimited) at += value;
  }
  return fields;
}

/** A number as protobuf writes it. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}
