/**
 * What one message may be before any rule of its service is looked at: its size, and how often its repeated fields may come.
 * Both are held on the bytes, so that nothing is made of a message that is over them.
 */
import type { DescField } from "@bufbuild/protobuf";

/** How often a repeated field may come in one message, wherever in it. */
export interface CountBound {
  readonly desc: DescField;
  readonly max: number;
  /** Who is named when there are more: a field of the request. */
  readonly field: string;
  /** What there may be at most, such as "lines". */
  readonly what: string;
}

/** What one message of a method may be. */
export interface MessageBounds {
  /** Bytes, unpacked, in whatever encoding. */
  readonly bytesMax: number;
  readonly counts: readonly CountBound[];
  /** The only field of the message, where it is a batch: a large one is read part by part, and not as a whole. */
  readonly parts?: DescField;
}
