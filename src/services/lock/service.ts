/**
 * inventory.v1.LockService: what this process knows of the lock. It is given a view and encodes it, asks nobody, and
 * knows neither the lock nor its nodes.
 */
import { LockService } from "../../gen/inventory/v1/lock_pb.ts";
import { type ServiceModule, serviceModule } from "../service_module.ts";
import { type BoundSettings, smallBounds } from "../bounds.ts";
import { type LockView, statusMessage } from "./encode.ts";

/** What the service is made of. */
export interface LockServiceOptions {
  /** The view of now. Called once a call; it asks nobody. */
  readonly status: () => LockView;
}

/** The service. Its handler throws nothing of its own. */
export function lockModule(
  { status }: LockServiceOptions,
  settings: Pick<BoundSettings, "requestBytesMax">,
): ServiceModule {
  return serviceModule({
    service: LockService,
    handlers: { status: () => statusMessage(status()) },
    methods: { status: { right: "operator", bounds: smallBounds(settings) } },
    drainExempt: true,
    healthListed: false,
    reflected: "listed",
  });
}
