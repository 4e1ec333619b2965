/** grpc-java, connected as docs/clients.md says. */
import { talkTest } from "../support/talk_with.ts";
import { java } from "../support/talks.ts";

talkTest("grpc-java", java, { withoutTls: "Debian's netty knows no ALPN" });
