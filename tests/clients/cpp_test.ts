/** grpc++, connected as docs/clients.md says. */
import { talkTest } from "../support/talk_with.ts";
import { cpp } from "../support/talks.ts";

talkTest("grpc++", cpp);
