/** grpc-js in Node, connected as docs/clients.md says. */
import { talkTest } from "../support/talk_with.ts";
import { node } from "../support/talks.ts";

talkTest("grpc-js in Node", node, { watches: true });
