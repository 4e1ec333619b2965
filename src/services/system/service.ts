/** inventory.v1.SystemService: what the server knows of its callers and of itself. It asks nobody. */
import { Code, ConnectError } from "@connectrpc/connect";
import { identityOf } from "../../auth/caller.ts";
import { SystemService } from "../../gen/inventory/v1/system_pb.ts";
import { type BoundSettings, smallBounds } from "../bounds.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import { whoAmIMessage } from "./encode.ts";

/** The service. */
export function systemModule(settings: Pick<BoundSettings, "requestBytesMax">): ServiceModule {
  const bounds = smallBounds(settings);
  return serviceModule({
    service: SystemService,
    handlers: {
      whoAmI: (_request, { values }) => whoAmIMessage(identityOf(values)),
      getSystem() {
        throw new ConnectError("not served yet", Code.Unimplemented);
      },
    },
    methods: {
      whoAmI: { right: "reader", bounds },
      getSystem: { right: "operator", bounds },
    },
    drainExempt: true,
    healthListed: false,
    reflected: "listed",
  });
}
