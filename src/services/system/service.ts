/** inventory.v1.SystemService: what the process knows of its callers and of itself. It asks nobody. */
import { identityOf } from "../../auth/caller.ts";
import { SystemService } from "../../gen/inventory/v1/system_pb.ts";
import { type BoundSettings, smallBounds } from "../bounds.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import { systemMessage, type SystemView, whoAmIMessage } from "./encode.ts";

/** What the service is made of. */
export interface SystemServiceOptions {
  /** The view of now. Called once a call; it asks nobody. */
  readonly view: () => SystemView;
}

/** The service. Its handlers throw nothing of their own. */
export function systemModule(
  { view }: SystemServiceOptions,
  settings: Pick<BoundSettings, "requestBytesMax">,
): ServiceModule {
  const bounds = smallBounds(settings);
  return serviceModule({
    service: SystemService,
    handlers: {
      whoAmI: (_request, { values }) => whoAmIMessage(identityOf(values)),
      getSystem: () => systemMessage(view()),
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
