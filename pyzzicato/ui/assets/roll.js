// Drawing: the piano roll, its map and its keyboard, on canvases that stay crisp on any screen.

const BLACK = [false, true, false, true, false, false, true, false, true, false, true, false];
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60]; // seconds between lines of the grid
const PARTS = ["#2F6BFF", "#E8791A"]; // seed, new
const PARTS_DARK = ["#7FA2FF", "#FFA24D"];
// Takes that lie on top of each other, after the first: as many tell apart as any eye can.
const LAYERS = ["#1E8A6F", "#B4548E", "#7A6A1C", "#4A4560", "#C2452D", "#2C7F9E", "#8C5BB5"];
const LAYERS_DARK = ["#5CC9A7", "#E391C2", "#CDBB5C", "#B9B4CC", "#FF8A70", "#74C4E3", "#C59BEA"];
// What was written before the new music and is its seed now: two that take turns.
const EARLIER = 21; // the part of the first
const WRITTEN = ["#8B4FB8", "#2E8B74"];
const WRITTEN_DARK = ["#C59BEA", "#6CC7AE"];
const LANE = 58; // pixels of the drums
const FIRST_KEY = 21;
const LAST_KEY = 108;

/** Colours from the page's own background, so that light, dark and custom themes all fit. */
function palette(probe) {
  const [red, green, blue] = getComputedStyle(probe).backgroundColor.match(/[\d.]+/g).map(Number);
  const dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 118;
  const ink = dark ? "236, 232, 223" : "29, 27, 38";
  return {
    dark,
    paper: `rgb(${red}, ${green}, ${blue})`,
    ink: (alpha) => `rgba(${ink}, ${alpha})`,
    parts: dark ? [...PARTS_DARK, ...LAYERS_DARK, ...LAYERS_DARK, ...BAND_COLOURS_DARK, ...WRITTEN_DARK]
      : [...PARTS, ...LAYERS, ...LAYERS, ...BAND_COLOURS, ...WRITTEN],
    ivory: dark ? "#2A2933" : "#FFFFFF",
    ebony: dark ? "#0C0B10" : "#2B2935",
  };
}

/** Sizes a canvas to its place on the screen; returns its context scaled to CSS pixels. */
function fitted(canvas, width, height) {
  const scale = Math.min(3, globalThis.devicePixelRatio || 1);
  const across = Math.round(width * scale);
  const down = Math.round(height * scale);
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** "1:05" */
function clockText(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function bar(pen, x, y, width, height) {
  if (width < 3 || height < 3) pen.fillRect(x, y, width, height);
  else {
    pen.beginPath();
    pen.roundRect(x, y, width, height, Math.min(2, height / 2, width / 2));
    pen.fill();
  }
}

/** Every note of `music` in a box, small and quick: the map and the thumbnails. */
function drawSmall(pen, music, colours, box, low, high) {
  const across = box.width / Math.max(0.001, music.length);
  const lane = hasDrums(music) ? box.height * 0.28 : 0;
  const down = (box.height - lane) / (high - low + 1);
  const tall = Math.max(1.2, down * 0.9);
  for (let i = 0; i < music.count; i++) {
    const at = i * ROW;
    const [, duration, pitch, velocity, part] = music.rows.subarray(at, at + ROW);
    pen.fillStyle = colours.parts[part];
    pen.globalAlpha = (0.4 + 0.6 * (velocity / 127)) * sound.mix.opacity(part);
    const wide = Math.max(1.2, duration * across - 0.4);
    const y = part === BAND
      ? box.top + box.height - ((drumRow(pitch) + 0.8) * lane) / LANE_ROWS
      : box.top + (high - pitch) * down;
    pen.fillRect(box.left + music.rows[at] * across, y, wide, tall);
  }
  pen.globalAlpha = 1;
}

/** Lowest and highest pitch of the rows, or null without notes; drums have none. */
function pitchRange(music) {
  let low = 128;
  let high = -1;
  for (let i = 0; i < music.count; i++) {
    if (music.rows[i * ROW + 4] === BAND) continue;
    low = Math.min(low, music.rows[i * ROW + 2]);
    high = Math.max(high, music.rows[i * ROW + 2]);
  }
  return high < 0 ? null : [low, high];
}

class Roll {
  /**
   * `canvases` has base, overlay, map and keys. In seconds: the seed ends at `border`; new music
   * ends at `until`, where the seed goes on; `marked` is a stretch to point out, or null.
   */
  constructor(canvases) {
    this.canvases = canvases;
    this.music = NO_MUSIC;
    this.border = 0;
    this.until = Infinity;
    this.marked = null;
    this.known = null; // a passage to underline: start, end, words
    this.view = { from: 0, to: 1 };
    this.low = 36;
    this.high = 96;
    this.lane = 0; // pixels at the bottom that are for the drums
    this.shown = 0; // the picture is drawn up to here: it may lag behind what is known
    this.mapLayer = document.createElement("canvas");
    this.keysLayer = document.createElement("canvas");
  }

  measure() {
    const size = (canvas) => ({ width: canvas.clientWidth, height: canvas.clientHeight });
    this.size = size(this.canvases.base);
    this.mapSize = size(this.canvases.map);
    this.keysSize = size(this.canvases.keys);
    this.gutter = this.size.width < 560 ? 0 : 30;
    this.head = 20;
    return this.size.width > 0;
  }

  /** Widens the range of pitches to what the notes need, by whole octaves, so it rarely moves. */
  fitPitches(fresh) {
    if (fresh) [this.low, this.high] = [41, 88];
    this.lane = hasDrums(this.music) ? LANE : 0;
    const range = pitchRange(this.music);
    if (!range) return;
    while (range[0] - 1 < this.low) this.low -= 6;
    while (range[1] + 1 > this.high) this.high += 6;
    this.low = Math.max(0, this.low);
    this.high = Math.min(127, this.high);
  }

  get perSecond() {
    return (this.size.width - this.gutter) / (this.view.to - this.view.from);
  }

  get perKey() {
    return (this.size.height - this.head - this.lane) / (this.high - this.low + 1);
  }

  xAt(time) {
    return this.gutter + (time - this.view.from) * this.perSecond;
  }

  timeAt(x) {
    return this.view.from + (x - this.gutter) / this.perSecond;
  }

  yAt(pitch) {
    return this.head + (this.high - pitch) * this.perKey;
  }

  /** Top and height of the bar of the note at row `at`. */
  barOf(at) {
    const pitch = this.music.rows[at + 2];
    if (this.music.rows[at + 4] !== BAND) {
      return { y: this.yAt(pitch), height: Math.max(2, this.perKey - (this.perKey > 5 ? 1 : 0.4)) };
    }
    const row = this.lane / (LANE_ROWS + 0.5);
    return { y: this.size.height - (drumRow(pitch) + 1) * row, height: row - 1.5 };
  }

  drawBase(colours) {
    const pen = fitted(this.canvases.base, this.size.width, this.size.height);
    this.colours = colours;
    this.drawRows(pen);
    if (this.marked) this.drawMarked(pen);
    this.drawGrid(pen);
    if (this.music.running) this.drawUnwritten(pen);
    else if (!this.music.count) this.drawSkeleton(pen);
    this.drawNotes(pen);
    if (this.known) drawKnown(pen, this);
    this.drawBorder(pen);
    if (this.gutter) this.drawOctaves(pen);
  }

  drawRows(pen) {
    const right = Math.min(this.size.width, this.xAt(this.music.length));
    pen.fillStyle = this.colours.ink(this.colours.dark ? 0.055 : 0.04);
    for (let pitch = this.low; pitch <= this.high; pitch++) {
      if (!BLACK[pitch % 12]) continue;
      pen.fillRect(this.gutter, this.yAt(pitch), this.size.width - this.gutter, this.perKey);
    }
    pen.fillStyle = this.colours.ink(0.1); // one hairline below every C: the octaves
    for (let pitch = Math.ceil(this.low / 12) * 12; pitch <= this.high; pitch += 12) {
      const y = Math.round(this.yAt(pitch) + this.perKey);
      pen.fillRect(this.gutter, y, this.size.width - this.gutter, 0.5);
    }
    if (this.lane) {
      const y = Math.round(this.size.height - this.lane);
      pen.fillRect(this.gutter, y, this.size.width - this.gutter, 1);
    }
    if (right < this.size.width - 1) { // beyond the end the stage fades to paper
      pen.fillStyle = this.colours.paper;
      pen.globalAlpha = 0.7;
      pen.fillRect(right, this.head, this.size.width - right, this.size.height);
      pen.globalAlpha = 1;
    }
  }

  drawGrid(pen) {
    const step = STEPS.find((each) => each * this.perSecond >= 64) ?? 60;
    const fine = this.perSecond >= 9 ? Math.min(1, step) : step;
    pen.font = `11px ${this.font}`;
    pen.textBaseline = "middle";
    const first = Math.max(0, Math.ceil((this.view.from - 1e-6) / fine));
    for (let i = first; i * fine <= Math.min(this.view.to, this.music.length) + 1e-6; i++) {
      const time = i * fine;
      const x = Math.round(this.xAt(time)) + 0.5;
      const strong = Math.abs(time / step - Math.round(time / step)) < 1e-6;
      pen.fillStyle = this.colours.ink(strong ? 0.13 : 0.055);
      pen.fillRect(x - 0.5, this.head, 1, this.size.height - this.head);
      if (!strong || x > this.size.width - 22) continue;
      pen.fillStyle = this.colours.ink(0.7);
      const text = step < 1 ? `${clockText(time)}${time % 1 ? ".5" : ""}` : clockText(time);
      pen.textAlign = x < this.gutter + 12 ? "left" : "center";
      pen.fillText(text, x < this.gutter + 12 ? Math.max(x, 2) : x, 8);
    }
  }

  /** The part of the stage that waits for notes, and the edge where they appear. */
  drawUnwritten(pen) {
    const x = Math.max(this.gutter, this.xAt(this.shown));
    const width = Math.min(this.size.width, this.xAt(this.until)) - x;
    if (width <= 0) return;
    pen.fillStyle = this.colours.paper;
    pen.globalAlpha = 0.62;
    pen.fillRect(x, this.head, width, this.size.height - this.head);
    pen.globalAlpha = 1;
    const glow = pen.createLinearGradient(x - 36, 0, x, 0);
    glow.addColorStop(0, `${this.colours.parts[1]}00`);
    glow.addColorStop(1, `${this.colours.parts[1]}40`);
    pen.fillStyle = glow;
    pen.fillRect(Math.max(this.gutter, x - 36), this.head, 36, this.size.height - this.head);
  }

  drawNotes(pen) {
    const { rows, count } = this.music;
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, 0, this.size.width, this.size.height);
    pen.clip();
    for (let i = firstFrom(this.music, this.view.from - this.longest); i < count; i++) {
      const at = i * ROW;
      if (rows[at] > this.view.to) break;
      const grows = this.music.growing && rows[at + 4] > 0;
      if (grows && rows[at] > this.shown) continue;
      pen.fillStyle = this.colours.parts[rows[at + 4]];
      pen.globalAlpha = (0.34 + 0.66 * (rows[at + 3] / 127)) * sound.mix.opacity(rows[at + 4]);
      const last = grows ? this.shown - rows[at] : rows[at + 1];
      const width = Math.max(2, Math.min(rows[at + 1], last) * this.perSecond - 1);
      const { y, height } = this.barOf(at);
      bar(pen, this.xAt(rows[at]), y, width, height);
    }
    pen.restore();
  }

  /** The stretch that is pointed out: a wash of the colour of new notes, between two lines. */
  drawMarked(pen) {
    const [left, right] = this.marked.map((time) =>
      Math.min(this.size.width, Math.max(this.gutter, this.xAt(time))));
    const height = this.size.height - this.head;
    pen.fillStyle = this.colours.parts[1];
    pen.globalAlpha = 0.14;
    pen.fillRect(left, this.head, right - left, height);
    pen.globalAlpha = 0.8;
    for (const x of [left, right]) pen.fillRect(Math.round(x) - 0.5, this.head, 1.5, height);
    pen.globalAlpha = 1;
  }

  /** Where notes will be: pale bars that rise and fall, while there is no music. */
  drawSkeleton(pen) {
    pen.fillStyle = this.colours.ink(0.07);
    const wide = (this.size.width - this.gutter) / 24;
    for (let i = 0; i < 24; i++) {
      const middle = (this.low + this.high) / 2;
      const tune = Math.round(middle + 8 * Math.sin(i * 0.55) + 5 * Math.cos(i * 1.7));
      const left = this.gutter + i * wide;
      bar(pen, left, this.yAt(tune), wide * (i % 3 ? 0.85 : 0.55), this.perKey);
      if (i % 4 === 0) bar(pen, left, this.yAt(tune - 19 + (i % 5)), wide * 3.6, this.perKey);
    }
  }

  drawBorder(pen) {
    const edge = (time) => Math.min(this.size.width, Math.max(this.gutter, this.xAt(time)));
    const middle = edge(this.border);
    const top = this.head - 3;
    pen.fillStyle = this.colours.parts[0];
    pen.fillRect(edge(0), top, middle - edge(0), 2);
    const end = Math.min(this.music.length, this.until);
    pen.fillRect(edge(end), top, edge(this.music.length) - edge(end), 2);
    pen.fillStyle = this.colours.parts[1];
    pen.fillRect(middle, top, Math.max(0, edge(Math.min(this.shown, end)) - middle), 2);
    pen.globalAlpha = 0.22;
    pen.fillRect(middle, top, edge(end) - middle, 2);
    pen.globalAlpha = 1;
    for (const time of [this.border, this.until]) {
      if (time > 0 && time < this.music.length - 0.01) this.drawSeam(pen, this.xAt(time));
    }
  }

  /** The line between what was there and what is new. */
  drawSeam(pen, x) {
    if (x < this.gutter || x > this.size.width) return;
    pen.strokeStyle = this.colours.ink(0.4);
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(Math.round(x) + 0.5, this.head);
    pen.lineTo(Math.round(x) + 0.5, this.size.height);
    pen.stroke();
    pen.setLineDash([]);
  }

  drawOctaves(pen) {
    pen.font = `11px ${this.font}`;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let pitch = Math.ceil(this.low / 12) * 12; pitch <= this.high; pitch += 12) {
      pen.fillStyle = this.colours.ink(0.7);
      const y = Math.min(this.size.height - 6, this.yAt(pitch) + this.perKey / 2);
      pen.fillText(`C${pitch / 12 - 1}`, this.gutter - 7, y);
    }
  }

  /** What moves: the playhead, and the notes that sound now, at full strength. */
  drawOverlay(time, lit) {
    const pen = fitted(this.canvases.overlay, this.size.width, this.size.height);
    for (const at of lit) {
      const { rows } = this.music;
      const { y, height } = this.barOf(at);
      const left = Math.max(this.gutter, this.xAt(rows[at]));
      const right = this.xAt(rows[at] + rows[at + 1]) - 1;
      pen.fillStyle = this.colours.parts[rows[at + 4]];
      pen.shadowColor = this.colours.parts[rows[at + 4]];
      pen.shadowBlur = 10;
      bar(pen, left, y - 0.5, Math.max(2, right - left), height + 1);
    }
    pen.shadowBlur = 0;
    const x = this.xAt(time);
    if (this.music.length <= 0 || x < this.gutter - 1 || x > this.size.width + 1) return;
    pen.fillStyle = this.colours.ink(0.92);
    pen.fillRect(x - 0.75, this.head - 3, 1.5, this.size.height - this.head + 3);
    pen.beginPath();
    pen.moveTo(x - 5, this.head - 9);
    pen.lineTo(x + 5, this.head - 9);
    pen.lineTo(x, this.head - 1);
    pen.fill();
  }

  drawMapLayer() {
    const { width, height } = this.mapSize;
    const pen = fitted(this.mapLayer, width, height);
    pen.fillStyle = this.colours.ink(this.colours.dark ? 0.06 : 0.045);
    bar(pen, 0, 0, width, height);
    const all = this.until < Infinity; // around new notes in the midst everything is there
    const count = all ? this.music.count : firstFrom(this.music, this.shown + 1e-3);
    const music = { ...this.music, count };
    drawSmall(pen, music, this.colours, { left: 0, top: 3, width, height: height - 6 },
      this.low, this.high);
    if (this.known) drawKnownSmall(pen, this);
  }

  drawMap(time) {
    const { width, height } = this.mapSize;
    const pen = fitted(this.canvases.map, width, height);
    pen.drawImage(this.mapLayer, 0, 0, width, height);
    const across = width / Math.max(0.001, this.music.length);
    const left = this.view.from * across;
    const right = this.view.to * across;
    if (right - left < width - 2) {
      pen.fillStyle = this.colours.paper;
      pen.globalAlpha = 0.6;
      pen.fillRect(0, 0, left, height);
      pen.fillRect(right, 0, width - right, height);
      pen.globalAlpha = 1;
      pen.strokeStyle = this.colours.ink(0.5);
      pen.beginPath();
      pen.roundRect(left + 0.5, 0.5, Math.min(width, right) - left - 1, height - 1, 3);
      pen.stroke();
    }
    if (this.music.length <= 0) return;
    pen.fillStyle = this.colours.ink(0.92);
    pen.fillRect(Math.min(width - 1.5, Math.max(0, time * across - 0.75)), 0, 1.5, height);
  }
}
