/** A Holdfast server that asks for keys. */
import { serveBench } from "./own_server.ts";

await serveBench({ AUTH: "keys" });
