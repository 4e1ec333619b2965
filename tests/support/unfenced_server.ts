/** The program with neither lease nor fence: the control arm, which must oversell. */
import { serveUnguarded } from "./unguarded.ts";

await serveUnguarded({ fence: false });
