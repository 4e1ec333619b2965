/** The parts of a batch, decoded in slices: those that name goods by sku after one look-up for all of them. */
import type { HandlerContext } from "@connectrpc/connect";
import type { Reasons } from "../goods/reasons.ts";
import { callSignal } from "../rpc/deadline.ts";
import type { Parts } from "../rpc/messages/batch_parts.ts";
import { inSlices } from "../rpc/time_slices.ts";
import type { SkusOf } from "./sku_look_up.ts";
import { type SkuIds, skusIn } from "./skus.ts";

/** One part as it was decoded, and its place in the batch. */
export interface DecodedPart<A> {
  readonly at: number;
  readonly asked: A;
}

/** What names goods, and says what it is for. */
export interface NamedPart {
  readonly goodsInfo: readonly { readonly sku: string }[];
  readonly reason: string;
}

/** How parts are decoded. */
export interface PartRules<R, A> {
  readonly skusOf: SkusOf;
  readonly reasons: Pick<Reasons, "isUnread">;
  /** What of a part that is. */
  named(request: R): NamedPart;
  decode(request: R, skus: SkuIds | undefined): A;
  /** What `decode` threw for the part at this place. */
  refuse(error: unknown, at: number): void;
}

/**
 * Those that could be decoded, in the sequence of the batch. Parts with skus, or a reason that the process does not
 * know of, are read a second time then, as what is read takes some twenty times the bytes that it came as.
 */
export async function decodeParts<R, A>(
  requests: Parts<R>,
  { skusOf, reasons, named: namedIn, decode, refuse }: PartRules<R, A>,
  context: HandlerContext,
): Promise<DecodedPart<A>[]> {
  const signal = callSignal(context);
  const decoded: DecodedPart<A>[] = [];
  const skus = new Set<string>();
  let reason = "";
  const named: number[] = [];
  const decodeOne = (request: R, at: number, ids?: SkuIds) => {
    try {
      decoded.push({ at, asked: decode(request, ids) });
    } catch (error) {
      refuse(error, at);
    }
  };
  await inSlices(Array(requests.count).fill(undefined), signal, (_, at) => {
    // What can't be read at all is no fault of one order.
    const request = requests.read(at);
    const part = namedIn(request);
    const own = skusIn(part.goodsInfo);
    const isUnread = part.reason !== "" && reasons.isUnread(part.reason);
    if (own.length === 0 && !isUnread) return decodeOne(request, at);
    // All reasons are read for one.
    if (isUnread) reason = part.reason;
    for (const sku of own) skus.add(sku);
    named.push(at);
  });
  if (named.length === 0) return decoded;
  const ids = await skusOf([...skus].map((sku) => ({ sku })), context, reason);
  await inSlices(named, signal, (at) => decodeOne(requests.read(at), at, ids));
  return decoded.sort((a, b) => a.at - b.at);
}
