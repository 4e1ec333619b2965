/** The words of the frame. */
export const en = {
  goods: "Goods",
  orders: "Orders",
  system: "System",
  skip: "Skip to the content",
  pages: "Pages",
};

export const zh: typeof en = {
  goods: "商品",
  orders: "订单",
  system: "系统",
  skip: "跳到内容",
  pages: "页面",
};
