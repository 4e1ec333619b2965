/** The words of forms and dialogs, on whichever page. */

const english = {
  cancel: "Cancel",
  close: "Close",
  working: "Working…",
  reason: "Reason",
  noReason: "None",
  document: "Document",
  documentHint: "A link or a number, such as of a delivery note",
  loading: "Loading…",
  retry: "Try again",
  more: "Show more",
  none: "None",
  any: "Any",
  from: "From",
  to: "To",
  clear: "Clear",
  problems: {
    empty: () => "Say something here.",
    no_number: () => "This is not a whole number.",
    out_of_bounds: (min: string, max: string) => `From ${min} to ${max}.`,
    zero: () => "Any number but 0.",
    no_duration: () => "A time, such as 90s, 15m, 2h or 1d.",
    bad_id: () => "1 to 64 of the characters A-Z a-z 0-9 . _ : -",
    bad_buyer: () => "1 to 64 ASCII characters without a space.",
    bad_uri: () => "At most 512 characters.",
    bad_text: (_min: string, max: string) =>
      max === "0"
        ? "Letters, digits and signs of ASCII alone."
        : `At most ${max} characters, without control characters.`,
    same_location: () => "Another location than where it is now.",
    no_lines: () => "At least one line.",
    too_many_lines: (_min: string, max: string) => `At most ${max} lines.`,
    not_above: () => "More than where it begins to be low.",
  } satisfies Record<string, (min: string, max: string) => string>,
};

const chinese: typeof english = {
  cancel: "取消",
  close: "关闭",
  working: "处理中…",
  reason: "原因",
  noReason: "无",
  document: "单据",
  documentHint: "链接或编号，例如送货单号",
  loading: "加载中…",
  retry: "重试",
  more: "显示更多",
  none: "无",
  any: "不限",
  from: "从",
  to: "至",
  clear: "清除",
  problems: {
    empty: () => "请填写。",
    no_number: () => "不是整数。",
    out_of_bounds: (min, max) => `应在 ${min} 至 ${max} 之间。`,
    zero: () => "不能为 0。",
    no_duration: () => "请填写时长，如 90s、15m、2h 或 1d。",
    bad_id: () => "1 至 64 个字符：A-Z a-z 0-9 . _ : -",
    bad_buyer: () => "1 至 64 个 ASCII 字符，不含空格。",
    bad_uri: () => "最多 512 个字符。",
    bad_text: (_min, max) => max === "0" ? "只能使用 ASCII 字母、数字和符号。" : `最多 ${max} 个字符，不含控制字符。`,
    same_location: () => "请选择其他库位。",
    no_lines: () => "至少一行。",
    too_many_lines: (_min, max) => `最多 ${max} 行。`,
    not_above: () => "应大于偏低的起点。",
  },
};

export { chinese as zh, english as en };
