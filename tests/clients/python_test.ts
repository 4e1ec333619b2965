/** grpcio in Python, connected as docs/clients.md says. */
import { talkTest } from "../support/talk_with.ts";
import { python } from "../support/talks.ts";

talkTest("grpcio in Python", python, { watches: true });
