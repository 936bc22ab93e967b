// Small line charts as plain SVG. No inline styles, so that the page's policy can forbid them.
const NS = 'http://www.w3.org/2000/svg';

/** Makes an empty chart; draw() fills it. */
export function spark() {
  const svg = document.createElementNS(NS, 'svg');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('viewBox', '0 0 100 30');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  for (const name of ['area', 'line']) {
    const path = document.createElementNS(NS, 'path');
    path.setAttribute('class', name);
    svg.append(path);
  }
  return svg;
}

/** Draws the values, oldest first, as wide as if there were `slots` of them. */
export function draw(svg, values, slots) {
  const [area, line] = svg.children;
  if (values.length < 2) {
    return;
  }
  const top = Math.max(...values, 1e-9);
  const x = (i) => (100 * (slots - values.length + i)) / (slots - 1);
  const y = (value) => 28 - (25 * value) / top;
  const points = values.map((value, i) => `${x(i).toFixed(2)},${y(value).toFixed(2)}`);
  line.setAttribute('d', `M${points.join('L')}`);
  area.setAttribute('d', `M${x(0).toFixed(2)},30L${points.join('L')}L100,30Z`);
}
