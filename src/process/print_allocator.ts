/** Prints what LD_PRELOAD is to be for the server that a shell starts next, which may be nothing. */
import { preloaded } from "./allocator.ts";

console.log(preloaded());
