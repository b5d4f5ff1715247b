// The keyboard under the roll: 88 keys, lit by what sounds.

/** Every key's box in units of the keyboard's size: {pitch, black, left, width}. */
const KEYS = (() => {
  const keys = [];
  let white = 0;
  for (let pitch = FIRST_KEY; pitch <= LAST_KEY; pitch++) {
    const black = BLACK[pitch % 12];
    const left = black ? white - 0.29 : white;
    keys.push({ pitch, black, left: left / 52, width: (black ? 0.58 : 1) / 52 });
    if (!black) white += 1;
  }
  return [...keys.filter((key) => !key.black), ...keys.filter((key) => key.black)];
})();

function keyBox(key, size) {
  const left = key.left * size.width;
  const right = (key.left + key.width) * size.width;
  return { left, width: right - left, height: key.black ? size.height * 0.62 : size.height };
}

function paintKey(pen, key, size, fill, edge) {
  const box = keyBox(key, size);
  const gap = key.black ? 0 : Math.min(0.5, box.width * 0.06);
  pen.fillStyle = fill;
  pen.beginPath();
  pen.roundRect(box.left + gap, 0, box.width - 2 * gap, box.height - 0.5, [0, 0, 2, 2]);
  pen.fill();
  if (edge) {
    pen.strokeStyle = edge;
    pen.lineWidth = 0.75;
    pen.stroke();
  }
}

/** The keys at rest, drawn once for each size and theme. */
function drawKeysAtRest(layer, size, colours) {
  const pen = fitted(layer, size.width, size.height);
  for (const key of KEYS) {
    if (key.black) paintKey(pen, key, size, colours.ebony, colours.dark ? colours.ink(0.16) : "");
    else paintKey(pen, key, size, colours.ivory, colours.ink(colours.dark ? 0.14 : 0.22));
  }
}

/** `lit` maps a pitch to {part, velocity}. */
function drawKeys(canvas, layer, size, colours, lit) {
  const pen = fitted(canvas, size.width, size.height);
  pen.drawImage(layer, 0, 0, size.width, size.height);
  if (!lit.size) return;
  const whites = KEYS.filter((key) => lit.has(key.pitch) && !key.black);
  for (const key of whites) light(pen, key, size, colours, lit.get(key.pitch));
  if (whites.length) { // the black keys lie on top of a lit white one
    const near = (key) => whites.some((white) => Math.abs(white.pitch - key.pitch) === 1);
    for (const key of KEYS) {
      if (key.black && !lit.has(key.pitch) && near(key)) {
        paintKey(pen, key, size, colours.ebony, colours.dark ? colours.ink(0.16) : "");
      }
    }
  }
  for (const key of KEYS) {
    if (key.black && lit.has(key.pitch)) light(pen, key, size, colours, lit.get(key.pitch));
  }
}

function light(pen, key, size, colours, { part, velocity }) {
  paintKey(pen, key, size, key.black ? colours.ebony : colours.ivory, "");
  pen.globalAlpha = 0.55 + 0.45 * (velocity / 127);
  paintKey(pen, key, size, colours.parts[part], "");
  pen.globalAlpha = 1;
}
