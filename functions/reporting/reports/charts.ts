/** Charts as inline SVG: drawn from numbers, readable without them (title and description), and printable. */

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** As it is written beside the bar. */
  readonly shown: string;
}

const width = 720;

/** Bars for spend and a line for purchases over the days of a week, each on a scale of its own. */
export function dayChart(
  days: readonly {
    readonly label: string;
    readonly spend: number;
    readonly spendShown: string;
    readonly purchases: number;
  }[],
  description: string,
): string {
  const [height, top, bottom, left] = [250, 26, 34, 8];
  const inner = height - top - bottom;
  const step = (width - left * 2) / Math.max(1, days.length);
  const mostSpend = Math.max(1, ...days.map(({ spend }) => spend));
  const mostPurchases = Math.max(1, ...days.map(({ purchases }) => purchases));
  const x = (index: number): number => left + step * (index + 0.5);
  const yLine = (purchases: number): number => top + inner * (1 - (0.82 * purchases) / mostPurchases);
  const bars = days.map(({ spend, spendShown }, index) => {
    const tall = (inner * 0.92 * spend) / mostSpend;
    const y = top + inner - tall;
    return `<rect class="bar" x="${round(x(index) - step * 0.27)}" y="${round(y)}" width="${round(step * 0.54)}" height="${round(tall)}" rx="6"/>
<text class="value" x="${round(x(index))}" y="${round(y - 8)}">${escapeHtml(spendShown)}</text>`;
  });
  const points = days.map(({ purchases }, index) => `${round(x(index))},${round(yLine(purchases))}`);
  const dots = days.map(({ purchases }, index) => {
    const [cx, cy] = [round(x(index)), round(yLine(purchases))];
    return `<circle class="dot" cx="${cx}" cy="${cy}" r="11"/><text class="dot-value" x="${cx}" y="${round(cy + 3.6)}">${purchases}</text>`;
  });
  const labels = days.map(
    ({ label }, index) => `<text class="axis" x="${round(x(index))}" y="${height - 10}">${escapeHtml(label)}</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(description)}">
<line class="base" x1="${left}" x2="${width - left}" y1="${top + inner}" y2="${top + inner}"/>
${bars.join('\n')}
<polyline class="line" points="${points.join(' ')}"/>
${dots.join('\n')}
${labels.join('\n')}
</svg>`;
}

/** One horizontal bar for each entry, longest first as given. */
export function barChart(bars: readonly Bar[], description: string, width = 720): string {
  const isNarrow = width < 600;
  const [rowHeight, labelWidth, shownWidth] = isNarrow ? [32, 170, 82] : [34, 210, 120];
  const most = Math.max(1e-9, ...bars.map(({ value }) => value));
  const room = width - labelWidth - shownWidth;
  const longest = isNarrow ? 25 : 30;
  const rows = bars.map(({ label, value, shown }, index) => {
    const y = index * rowHeight;
    const long = Math.max(2, (room * value) / most);
    return `<text class="label" x="0" y="${y + 21}">${escapeHtml(label.length > longest ? `${label.slice(0, longest - 1)}…` : label)}</text>
<rect class="track" x="${labelWidth}" y="${y + 9}" width="${room}" height="16" rx="8"/>
<rect class="bar" x="${labelWidth}" y="${y + 9}" width="${round(long)}" height="16" rx="8"/>
<text class="shown" x="${width}" y="${y + 21}">${escapeHtml(shown)}</text>`;
  });
  return `<svg viewBox="0 0 ${width} ${bars.length * rowHeight}" role="img" aria-label="${escapeHtml(description)}">\n${rows.join('\n')}\n</svg>`;
}

export interface Step {
  readonly label: string;
  /** What it takes away; negative adds. */
  readonly value: number;
}

/** From one number down to another: what lies between, part by part. */
export function waterfall(from: Step, parts: readonly Step[], to: Step, description: string): string {
  const [rowHeight, labelWidth, shownWidth] = [36, 230, 70];
  const room = width - labelWidth - shownWidth;
  const most = Math.max(1, from.value, to.value, ...running(from.value, parts));
  const scale = (value: number): number => (room * Math.max(0, value)) / most;
  let level = from.value;
  const lines: string[] = [line(0, from.label, 0, scale(from.value), 'bar', from.value)];
  for (const [index, { label, value }] of parts.entries()) {
    const next = level - value;
    lines.push(
      line(
        index + 1,
        label,
        scale(Math.min(level, next)),
        Math.abs(scale(level) - scale(next)),
        value >= 0 ? 'minus' : 'plus',
        -value,
      ),
    );
    level = next;
  }
  lines.push(line(parts.length + 1, to.label, 0, scale(to.value), 'bar other', to.value));
  return `<svg viewBox="0 0 ${width} ${(parts.length + 2) * rowHeight}" role="img" aria-label="${escapeHtml(description)}">\n${lines.join('\n')}\n</svg>`;

  function line(index: number, label: string, start: number, long: number, kind: string, shown: number): string {
    const y = index * rowHeight;
    const text = Number.isInteger(shown) ? String(shown) : shown.toFixed(1);
    return `<text class="label" x="0" y="${y + 23}">${escapeHtml(label)}</text>
<rect class="${kind}" x="${round(labelWidth + start)}" y="${y + 9}" width="${round(Math.max(2, long))}" height="20" rx="6"/>
<text class="shown" x="${width}" y="${y + 23}">${shown > 0 && kind === 'plus' ? '+' : ''}${text.replace('-', '−')}</text>`;
  }
}

function running(from: number, parts: readonly Step[]): number[] {
  let level = from;
  return parts.map(({ value }) => (level -= value));
}

const round = (value: number): number => Math.round(value * 10) / 10;
