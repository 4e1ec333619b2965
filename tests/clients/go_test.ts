/** grpc-go, connected as docs/clients.md says. */
import { talkTest } from "../support/talk_with.ts";
import { go } from "../support/talks.ts";

talkTest("grpc-go", go);
