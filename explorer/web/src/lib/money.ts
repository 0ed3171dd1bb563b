/** Amounts (金额). The chain counts whole fen (分); the page shows yuan, never a rounded one by mistake. */

/** `1,234.50`: fen as yuan, exactly. */
export function yuan(fen: number | bigint): string {
  const whole = BigInt(fen);
  const [sign, size] = whole < 0n ? ["-", -whole] : ["", whole];
  return `${sign}${grouped(size / 100n)}.${(size % 100n).toString().padStart(2, "0")}`;
}

/** Digits in groups of three. */
export function grouped(number: number | bigint): string {
  return number.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

const STEPS: [bigint, string, string][] = [
  [10n ** 8n, "亿", "×10⁸"],
  [10n ** 4n, "万", "×10⁴"],
];

export interface Short {
  number: string;
  /** 万 or 亿; nothing for small ones. */
  unit: string;
}

/** A number in 万 or 亿 with two decimals, cut and not rounded up, as bureaus' reports have it. */
export function inWan(number: number | bigint): Short {
  const whole = BigInt(number);
  const size = whole < 0n ? -whole : whole;
  for (const [step, unit] of STEPS) {
    if (size >= step) {
      const hundredths = (size * 100n) / step;
      const sign = whole < 0n ? "-" : "";
      const text = `${sign}${grouped(hundredths / 100n)}.${(hundredths % 100n).toString().padStart(2, "0")}`;
      return { number: text, unit };
    }
  }
  return { number: grouped(whole), unit: "" };
}

/** Fen as yuan in 万 or 亿; below 1 万 with its fen. */
export function yuanInWan(fen: number | bigint): Short {
  const whole = BigInt(fen);
  const size = whole < 0n ? -whole : whole;
  return size >= 1_000_000n ? inWan(whole / 100n) : { number: yuan(whole), unit: "" };
}

/** The fen in a text of yuan such as `¥1,234.5`; null for others. */
export function fenOf(text: string): number | null {
  const found = /^[¥￥]?(-?)(\d{1,3}(?:,\d{3})+|\d{1,13})(?:\.(\d{1,2}))?元?$/.exec(text.trim());
  if (!found) return null;
  const fen = Number(found[2]!.replaceAll(",", "")) * 100 + Number((found[3] ?? "").padEnd(2, "0"));
  return Number.isSafeInteger(fen) ? (found[1] ? -fen : fen) : null;
}

/** Change from one number to another in per mille of the first; null if there is nothing to compare with. */
export function perMille(before: number, now: number): number | null {
  return before === 0 ? null : Math.round(((now - before) / Math.abs(before)) * 1000);
}
