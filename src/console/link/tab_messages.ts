/** What a tab posts to the worker that it shares with others. It is answered with events of the stream. */
import type { Credentials } from "./transport.ts";

export type FromTab =
  /** A tab of this caller is there. */
  | { readonly kind: "hello"; readonly credentials: Credentials }
  /** Somebody looks at it again. */
  | { readonly kind: "look" }
  /** It goes. */
  | { readonly kind: "bye" };
