/** What happens to stock and orders, in the words of a shop: kinds of movements and states of orders. */

const kinds = {
  set: "Set",
  sell: "Sold",
  rollback: "Rolled back",
  give_back: "Given back",
  reserve: "Reserved",
  extend: "Hold extended",
  confirm: "Hold confirmed",
  release: "Hold released",
  expire: "Hold expired",
  adjust: "Adjusted",
  count: "Counted",
  transfer: "Transferred",
  policy: "Policy changed",
  delete: "Taken off sale",
  restore: "Back on sale",
};

const states = {
  held: "Held",
  sold: "Sold",
  released: "Released",
  expired: "Expired",
  rolled_back: "Rolled back",
  barred: "Barred",
};

export const en = { kinds, states };

export const zh: typeof en = {
  kinds: {
    set: "设定",
    sell: "售出",
    rollback: "退回",
    give_back: "归还",
    reserve: "预留",
    extend: "预留延期",
    confirm: "预留成交",
    release: "预留释放",
    expire: "预留到期",
    adjust: "调整",
    count: "盘点",
    transfer: "调拨",
    policy: "规则变更",
    delete: "下架",
    restore: "恢复销售",
  },
  states: {
    held: "预留中",
    sold: "已售",
    released: "已释放",
    expired: "已过期",
    rolled_back: "已全部退回",
    barred: "已禁止",
  },
};
