/** A Holdfast server that everybody may call. */
import { serveBench } from "./own_server.ts";

await serveBench({});
