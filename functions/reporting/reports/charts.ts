/**
 * Charts as inline SVG: drawn from numbers, readable without them (title and description), and printable. Each is drawn
 * twice, for a wide page and for a phone, and the style shows the one that fits: text keeps its size in both.
 */

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** As it is written beside the bar. */
  readonly shown: string;
}

export interface Day {
  readonly label: string;
  readonly spend: number;
  readonly spendShown: string;
  readonly purchases: number;
}

const wideWidth = 720;
const narrowWidth = 320;

/** Purchases as a line above, spend as bars below, each on a scale of its own, over the days of a week. */
export function dayChart(days: readonly Day[], description: string): string {
  return forBoth(description, (width) => dayDrawing(days, width));
}

function dayDrawing(days: readonly Day[], width: number): Drawing {
  const [height, left] = [256, 8];
  const [lineTop, lineBottom, barTop, base] = [16, 66, 106, 222];
  const step = (width - left * 2) / Math.max(1, days.length);
  const mostSpend = Math.max(1, ...days.map(({ spend }) => spend));
  const mostPurchases = Math.max(1, ...days.map(({ purchases }) => purchases));
  const x = (index: number): number => round(left + step * (index + 0.5));
  const y = (purchases: number): number => round(lineBottom - ((lineBottom - lineTop) * purchases) / mostPurchases);
  const points = days.map(({ purchases }, index) => `${x(index)},${y(purchases)}`);
  const isNarrow = width < 600;
  const parts = days.map(({ label, purchases, spend, spendShown }, index) => {
    const tall = ((base - barTop) * spend) / mostSpend;
    const [cx, cy] = [x(index), y(purchases)];
    return `<rect class="bar" x="${round(cx - step * 0.27)}" y="${round(base - tall)}" width="${round(step * 0.54)}" height="${round(tall)}" rx="5"/>
<text class="value" x="${cx}" y="${round(base - tall - 7)}">${escapeHtml(spendShown)}</text>
<circle class="dot" cx="${cx}" cy="${cy}" r="12"/><text class="dot-value" x="${cx}" y="${round(cy + 3.8)}">${purchases}</text>
<text class="axis" x="${cx}" y="${height - 12}">${escapeHtml(isNarrow ? (label.split(' ')[0] ?? '') : label)}</text>`;
  });
  const frame = `<line class="base" x1="${left}" x2="${width - left}" y1="${base}" y2="${base}"/>
<polyline class="line" points="${points.join(' ')}"/>`;
  return { height, body: `${frame}\n${parts.join('\n')}` };
}

/** One horizontal bar for each entry, in the order given. `width`: as wide as its card is on a wide page. */
export function barChart(bars: readonly Bar[], description: string, width = wideWidth): string {
  const most = Math.max(1e-9, ...bars.map(({ value }) => value));
  const rows = bars.map(({ label, shown, value }) => ({
    label,
    shown,
    bars: [
      { kind: 'track', from: 0, to: 1 },
      { kind: 'bar', from: 0, to: value / most },
    ],
  }));
  return rowChart(rows, description, width);
}

export interface Step {
  readonly label: string;
  /** What it takes away; negative adds. */
  readonly value: number;
}

/** From one number down to another: what lies between, part by part. */
export function waterfall(from: Step, parts: readonly Step[], to: Step, description: string): string {
  const levels = parts.reduce<number[]>(
    (known, { value }) => [...known, (known.at(-1) ?? from.value) - value],
    [from.value],
  );
  const most = Math.max(1, to.value, ...levels);
  const share = (value: number): number => Math.max(0, value) / most;
  const between = parts.map(({ label, value }, index) => {
    const [before = 0, after = 0] = levels.slice(index);
    const kind = value >= 0 ? 'minus' : 'plus';
    const bar = { kind, from: share(Math.min(before, after)), to: share(Math.max(before, after)) };
    return { label, shown: `${value < 0 ? '+' : ''}${countText(-value)}`, bars: [bar] };
  });
  const whole = ({ label, value }: Step, kind: string): Row => ({
    label,
    shown: countText(value),
    bars: [{ kind, from: 0, to: share(value) }],
  });
  return rowChart([whole(from, 'bar'), ...between, whole(to, 'bar other')], description, wideWidth);
}

interface Row {
  readonly label: string;
  readonly shown: string;
  /** Drawn one over the other, as shares of the room there is. */
  readonly bars: readonly { readonly kind: string; readonly from: number; readonly to: number }[];
}

/** Rows with a label, bars and what they come to: side by side where there is room, the label above where there is not. */
function rowChart(rows: readonly Row[], description: string, width: number): string {
  return forBoth(
    description,
    (drawn) => (drawn >= 600 ? besideDrawing(rows, drawn) : aboveDrawing(rows, drawn)),
    width,
  );
}

function besideDrawing(rows: readonly Row[], width: number): Drawing {
  const [rowHeight, labelWidth, shownWidth] = [34, 240, 110];
  const room = width - labelWidth - shownWidth;
  const body = rows.map(({ bars, label, shown }, index) => {
    const y = index * rowHeight;
    return `<text class="label" x="0" y="${y + 22}">${escapeHtml(short(label, 30))}</text>
${bars.map((bar) => rectOf(bar, labelWidth, room, y + 9, 16)).join('')}
<text class="shown" x="${width}" y="${y + 22}">${escapeHtml(shown)}</text>`;
  });
  return { height: rows.length * rowHeight, body: body.join('\n') };
}

function aboveDrawing(rows: readonly Row[], width: number): Drawing {
  const rowHeight = 44;
  const body = rows.map(({ bars, label, shown }, index) => {
    const y = index * rowHeight;
    return `<text class="label" x="0" y="${y + 15}">${escapeHtml(short(label, 30))}</text>
<text class="shown" x="${width}" y="${y + 15}">${escapeHtml(shown)}</text>
${bars.map((bar) => rectOf(bar, 0, width, y + 23, 11)).join('')}`;
  });
  return { height: rows.length * rowHeight, body: body.join('\n') };
}

function rectOf({ from, kind, to }: Row['bars'][number], left: number, room: number, y: number, tall: number): string {
  const long = Math.max(2, room * (to - from));
  return `<rect class="${kind}" x="${round(left + room * from)}" y="${y}" width="${round(long)}" height="${tall}" rx="${tall / 2}"/>`;
}

interface Drawing {
  readonly height: number;
  readonly body: string;
}

function forBoth(description: string, draw: (width: number) => Drawing, width = wideWidth): string {
  const svg = (shownOn: string, drawn: number): string => {
    const { body, height } = draw(drawn);
    return `<svg class="${shownOn}" viewBox="0 0 ${drawn} ${height}" role="img" aria-label="${escapeHtml(description)}">\n${body}\n</svg>`;
  };
  return `${svg('on-wide', width)}\n${svg('on-phone', narrowWidth)}`;
}

const short = (label: string, longest: number): string =>
  label.length > longest ? `${label.slice(0, longest - 1)}…` : label;
const countText = (value: number): string =>
  (Number.isInteger(value) ? String(value) : value.toFixed(1)).replace('-', '−');
const round = (value: number): number => Math.round(value * 10) / 10;
