/** Operations of every kind in one batch. */
import { type Json } from "../support/clients/client.ts";
import { failure, verdicts } from "./batch_verdicts.ts";
import { badRequest, detail, fails, given, level, ok, order, type Scenario, sold } from "./scenario.ts";

import { adjust, adjusted, detailAt, notInArticle, place, transfer } from "./scenario_stock.ts";

/** Each on goods of its own. */
export const APPLY_BATCH: readonly Scenario[] = [
  {
    name: "applies a batch of everything, each with its own verdict, in its sequence",
    notInArticle,
    calls: (g) => {
      const batch = {
        operations: [
          { setInv: { goodsId: g, num: 10 } },
          { sell: order(`${g}`, [g, 1]) },
          { rollback: order(`${g}`) },
          { adjustInv: adjust(`${g}-a`, [g, 5]) },
          { countInv: { goodsId: g, num: 14, operationId: `${g}-c` } },
          { transferInv: transfer(`${g}-t`, 3, [g, 4]) },
          { sell: order(`${g}0`, [g, 11]) },
          {},
          { adjustInv: adjust("a b") },
        ],
      };
      const applied = (replayed: boolean, sale: Json, setLevel: Json) =>
        verdicts(
          { setInv: setLevel, truncated: false },
          sale,
          { rollback: { ...given(`${g}`, [g, 1]), replayed }, truncated: false },
          { adjustInv: { ...adjusted(`${g}-a`, place(g, 15, 4)), replayed }, truncated: false },
          { countInv: { level: place(g, 14, 5), operationId: `${g}-c`, replayed }, truncated: false },
          {
            transferInv: {
              levels: [place(g, 10, 6), place(g, 4, 1, { locationId: 3 })],
              operationId: `${g}-t`,
              replayed,
            },
            truncated: false,
          },
          {
            ...failure("FAILED_PRECONDITION", `not enough stock: goods ${g} has 10 available, asked 11`, {
              "@type": "inventory.v1.ShortStock",
              goodsId: g,
              asked: 11,
              available: 10,
              locationId: 0,
              sku: "",
            }),
            truncated: false,
          },
          {
            ...failure(
              "INVALID_ARGUMENT",
              "operation: expected one of the operations, got none that this server knows",
              badRequest(["operation", "expected one of the operations, got none that this server knows"]),
            ),
            truncated: false,
          },
          {
            ...failure(
              "INVALID_ARGUMENT",
              "lines: expected at least one line, got none, and 1 more",
              badRequest(
                ["lines", "expected at least one line, got none"],
                [
                  "operation_id",
                  'expected 1 to 64 characters out of A-Z a-z 0-9 . _ : -, got " " (U+0020) as character 2 of 3',
                ],
              ),
            ),
            truncated: false,
          },
        );
      return [
        ok("ApplyBatch", batch, applied(false, { sell: sold(`${g}`, [g, 1]), truncated: false }, level(g, 10, 1))),
        detail(g, 10, 6),
        detailAt(g, 3, 4, 1),
        fails(
          "ApplyBatch",
          { operations: [] },
          "INVALID_ARGUMENT",
          badRequest(
            ["operations", "expected at least one operation, got none"],
          ),
        ),
      ];
    },
  },
];
