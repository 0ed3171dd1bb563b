/** Dates, times and durations as the page writes them: Chinese standard time, whatever the reader's clock. */

const ZONE = "Asia/Shanghai";

const parts = new Intl.DateTimeFormat("en-CA", {
  timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  second: "2-digit", hourCycle: "h23",
});

function split(time: number): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(time).map((part) => [part.type, part.value]));
}

/** `2025-03-18 09:41:05` of milliseconds since 1970. */
export function moment(time: number): string {
  const of = split(time);
  return `${of.year}-${of.month}-${of.day} ${of.hour}:${of.minute}:${of.second}`;
}

/** `2025-03-18` */
export function day(time: number): string {
  return moment(time).slice(0, 10);
}

/** `2025-03-18` of yyyymmdd. */
export function dateText(date: number | null | undefined): string {
  if (!date) return "—";
  const text = String(date).padStart(8, "0");
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
}

/** `09:41:05` of hhmmss. */
export function timeText(time: number): string {
  return String(time).padStart(6, "0").replace(/(\d\d)(\d\d)(\d\d)/, "$1:$2:$3");
}

/** yyyymmdd of `2025-03-18`; null for nothing. */
export function dateNumber(text: string | null | undefined): number | null {
  const digits = (text ?? "").replaceAll("-", "");
  return /^\d{8}$/.test(digits) ? Number(digits) : null;
}

/** Today in Shanghai, yyyymmdd. */
export function today(now = Date.now()): number {
  return Number(day(now).replaceAll("-", ""));
}

/** The date so many days later. */
export function plusDays(date: number, days: number): number {
  const [year, month, at] = [Math.floor(date / 10_000), Math.floor(date / 100) % 100, date % 100];
  return Number(new Date(Date.UTC(year, month - 1, at + days)).toISOString().slice(0, 10).replaceAll("-", ""));
}

/** The month so many months later, yyyymm. */
export function plusMonths(month: number, months: number): number {
  const at = Math.floor(month / 100) * 12 + (month % 100) - 1 + months;
  return Math.floor(at / 12) * 100 + (at % 12) + 1;
}

/** Milliseconds as `850 ms`, `3.2 s`, `5 min`, `2 h`, `3 d`. */
export function duration(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  if (size < 1_000) return `${Math.round(milliseconds)} ms`;
  if (size < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  if (size < 3_600_000) return `${Math.round(milliseconds / 60_000)} min`;
  if (size < 48 * 3_600_000) return `${Math.round(milliseconds / 3_600_000)} h`;
  return `${Math.round(milliseconds / 86_400_000)} d`;
}

/** Bytes as `1.2 GiB`. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [size, unit] = [count, 0];
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
