/** The program with a lock that grants everything to everybody. The fence alone must keep every promise. */
import { serveUnguarded } from "./unguarded.ts";

await serveUnguarded({ fence: true });
