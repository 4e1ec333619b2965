/** The arms of what is beside plain sales. */
import { meeting, type Scenario } from "./scenarios.ts";

/** Two sets that expect the version that the goods was filled with. */
export const twoExpect: Scenario = meeting("after_read", {
  first: { kind: "set", goodsId: GOODS, num: 1, expectedVersion: 1 },
  other: { kind: "set", goodsId: GOODS, num: 2, expectedVersion: 1 },
});
