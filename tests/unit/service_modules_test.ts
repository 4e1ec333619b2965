/**
 * The modules of services: one that does not say all that it must is refused, and how large the messages of stock may
 * be.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { inventoryMethods } from "../../src/services/inventory/methods.ts";
import { checkModules, type ServiceModule, serviceModule } from "../../src/services/service_module.ts";

const HEALTH = Health.typeName;
const RULES = { right: "reader", bounds: { bytesMax: 100, counts: [] } } as const;
/** One that says all that it must. */
const WHOLE = serviceModule({
  service: Health,
  handlers: { check: () => ({}), list: () => ({}), async *watch() {} },
  methods: { check: RULES, list: RULES, watch: RULES },
  drainExempt: false,
  healthListed: false,
  reflected: "hidden",
});

const without = (field: string): ServiceModule =>
  Object.fromEntries(Object.entries(WHOLE).filter(([name]) => name !== field)) as unknown as ServiceModule;
const withMethod = (check: unknown): ServiceModule =>
  ({ ...WHOLE, methods: { ...WHOLE.methods, check } }) as ServiceModule;

const REFUSED: Readonly<Record<string, readonly [ServiceModule, string]>> = {
  "no descriptor": [without("service"), "a service without a descriptor: no service"],
  "no handlers": [without("handlers"), `${HEALTH}/Check: no handler`],
  "no handler of one method": [
    {
      ...WHOLE,
      handlers: { list: WHOLE.handlers["list"], watch: WHOLE.handlers["watch"] },
    } as unknown as ServiceModule,
    `${HEALTH}/Check: no handler`,
  ],
  "no methods": [without("methods"), `${HEALTH}/Watch: no right`],
  "nothing of one method": [withMethod(undefined), `${HEALTH}/Check: no right`],
  "no right of a method": [withMethod({ bounds: RULES.bounds }), `${HEALTH}/Check: no right`],
  "a right that there is not": [withMethod({ ...RULES, right: "king" }), `${HEALTH}/Check: no right`],
  "no bounds of a method": [withMethod({ right: "reader" }), `${HEALTH}/Check: no bounds`],
  "no drainExempt": [without("drainExempt"), `${HEALTH}: no drainExempt`],
  "no healthListed": [without("healthListed"), `${HEALTH}: no healthListed`],
  "no reflected": [without("reflected"), `${HEALTH}: no reflected`],
};

for (const [what, [module, named]] of Object.entries(REFUSED)) {
  Deno.test(`a module with ${what} is refused, naming service, method and field`, () => {
    assertThrows(() => checkModules([module]), Error, named);
  });
}

Deno.test("a whole module passes, twice the same service does not", () => {
  checkModules([WHOLE]);
  assertThrows(() => checkModules([WHOLE, WHOLE]), Error, `${HEALTH}: comes twice`);
});

Deno.test("a message of stock may be as large as its method needs, and no larger than the largest of all", () => {
  const bytesMax = (requestBytesMax: number) =>
    Object.fromEntries(
      Object.entries(inventoryMethods({ requestBytesMax, orderLinesMax: 500, batchOrdersMax: 1000 }))
        .map(([name, { bounds }]) => [name, bounds.bytesMax]),
    );
  const [small, order] = [4096, 4096 + 500 * 384];
  const mib = 1024 * 1024;
  assertEquals(bytesMax(mib), {
    setInv: small,
    invDetail: small,
    sell: order,
    rollback: order,
    sellBatch: mib,
    rollbackBatch: mib,
    batchInvDetail: 4096 + 1000 * 384,
  });
  assertEquals([...new Set(Object.values(bytesMax(2000)))], [2000]);
});
