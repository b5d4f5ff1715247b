// The player: puts roll, transport and gestures together and follows what Python sends.

const LEAST_SPAN = 2; // seconds in view at the strongest zoom
const DENSE = 11; // pixels a second below which a whole piece is too small to look at
const DENSE_NARROW = 15; // the same on a telephone, where fingers point
const SWEEP = 0.9; // seconds in which a whole new piece is drawn
const PATIENCE = 3; // seconds in which a press may still start what plays by itself

class Player {
  constructor(root) {
    this.root = root;
    const find = (selector) => root.querySelector(selector);
    this.rollElement = find(".roll");
    this.roll = new Roll({
      base: find(".base"), overlay: find(".overlay"), map: find(".map"), keys: find(".keys"),
    });
    this.transport = new Transport(() => this.refresh());
    this.mixer = new Mixer(find(".mixer"));
    this.header = {};
    this.arrived = new Arrived();
    this.whole_ = true; // the view shows as much as is comfortable, not a chosen window
    this.follow = true;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.listen(find);
    this.timer = setInterval(() => this.transport.active && this.report(), 200);
    this.theme();
  }

  listen(find) {
    const press = (label, action) =>
      find(`button[aria-label="${label}"]`).addEventListener("click", action);
    find(".play").addEventListener("click", () => this.toggle());
    press("To start", () => this.seek(0));
    press("Stop playing", () => this.stop());
    press("Loop", () => this.toggleLoop());
    press("Zoom in", () => this.zoom(0.7));
    press("Zoom out", () => this.zoom(1 / 0.7));
    press("Whole piece", () => this.whole());
    this.volume = find(".volume input");
    this.volume.value = sound.settings.volume;
    this.volume.addEventListener("input", () => this.setVolume(Number(this.volume.value)));
    this.speed = find(".speed select");
    this.speed.value = String(sound.settings.speed);
    this.speed.addEventListener("change", () => this.setSpeed(Number(this.speed.value)));
    this.action = find(".words");
    this.action.addEventListener("click", () => this.send?.("continue_at", this.transport.position));
    this.setVolume(sound.settings.volume);
    if (sound.settings.loop) this.toggleLoop();
    listenToRoll(this.rollElement, this);
    tipOfKnown(this.rollElement, this.roll);
    listenToMap(find(".map"), this);
    listenToKeys(this.root, this);
    this.probe = find(".probe");
    this.probe.addEventListener("transitionend", () => this.theme());
    this.resized = new ResizeObserver(() => this.redraw());
    this.resized.observe(this.rollElement);
    this.heard = () => this.soundChanged();
    sound.listeners.add(this.heard);
  }

  destroy() {
    this.transport.stop();
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.resized.disconnect();
    sound.listeners.delete(this.heard);
  }

  theme() {
    this.colours = palette(this.probe);
    this.roll.font = getComputedStyle(this.root).fontFamily;
    this.root.classList.toggle("dark", this.colours.dark);
    this.mixer.refresh(this.colours);
    this.redraw();
  }

  /** News from Python; whether all of the music is there. */
  update({ header, rows: news }) {
    const what = JSON.stringify([header.piece, header.take, header.band]);
    if (!this.arrived.add(what, news, header.notes)) return false;
    const { rows } = this.arrived;
    const before = this.header;
    const first = before.take === undefined;
    const piece = first || header.piece !== before.piece;
    const take = piece || header.take !== before.take;
    this.header = header;
    const notes = rows.length / ROW;
    let last = 0;
    for (let i = 0; i < rows.length; i += ROW) last = Math.max(last, rows[i] + rows[i + 1]);
    const music = {
      rows, count: notes, running: header.running,
      length: Math.max(last, header.running ? header.border + header.expected : header.made),
      frontier: Math.max(header.border, header.made, header.running ? 0 : last),
    };
    const wasGrowing = !take && this.roll.music.growing;
    music.growing = !this.calm.matches &&
      (header.running || wasGrowing || (piece && header.autoplay));
    if (piece && !first) this.transport.stop();
    this.roll.music = music;
    this.roll.longest = longestNote(music);
    this.roll.border = header.border;
    this.roll.until = header.until ?? Infinity;
    this.roll.marked = header.marked;
    this.roll.known = header.known;
    this.roll.fitPitches(piece);
    if (piece) this.roll.shown = Math.min(header.border, music.frontier);
    if (!music.growing) this.roll.shown = header.running ? music.frontier : music.length;
    if (piece) {
      this.whole_ = this.follow = true;
      this.roll.view = { from: 0, to: 1 };
    }
    this.transport.setMusic(music, take);
    this.offer();
    if (piece && !first && header.autoplay) {
      this.root.dispatchEvent(new CustomEvent("pz-begins", { bubbles: true, composed: true }));
    }
    if (header.autoplay && (piece || !before.autoplay)) this.autoplay();
    if (header.marked && String(header.marked) !== String(before.marked)) this.present(header.marked);
    this.redraw();
    return true;
  }

  /** Brings a stretch into view, unless the view follows what is played. */
  present([from, to]) {
    const { view } = this.roll;
    const span = view.to - view.from;
    if (this.transport.active || (from >= view.from && to <= view.to)) return;
    this.look(from - Math.max(0, span - (to - from)) / 2, span);
  }

  offer() {
    const { header, root } = this;
    root.dataset.notes = this.roll.music.count;
    root.style.setProperty("--height", `${header.height}px`);
    root.classList.toggle("blind", header.height === 0);
    root.classList.remove("coming");
    this.action.hidden = !header.offer_continue || header.running;
    root.querySelector(".empty").hidden = this.roll.music.count > 0 || header.running;
    root.querySelector(".legend").hidden = this.roll.music.count === 0 || header.band.length > 0;
    root.querySelector(".then").hidden = !header.earlier;
    this.mixer.show(header.band);
    const nothing = this.roll.music.length <= 0;
    for (const button of root.querySelectorAll(".buttons button")) button.disabled = nothing;
  }

  /** Starts by itself if the person has touched the page; else waits a moment for that touch. */
  async autoplay() {
    this.eager = true;
    setTimeout(() => (this.eager = false), PATIENCE * 1000); // no sound out of the blue later
    const touched = navigator.userActivation?.hasBeenActive ?? true;
    if ((touched || sound.live) && (await sound.unlock())) this.start();
  }

  start() {
    if (!this.eager || this.transport.active) return;
    this.eager = false;
    this.transport.play(Math.min(this.header.start_at, this.roll.music.length));
  }

  soundChanged() {
    if (this.eager && sound.live) this.start();
    this.report();
    this.mixer.refresh();
    if (this.header.band?.length) this.redraw(); // what is muted is paler
  }

  toggle() {
    this.eager = false;
    this.follow = true;
    if (this.transport.active) this.transport.pause();
    else if (this.roll.music.length > 0) this.transport.play();
  }

  stop() {
    this.eager = false;
    this.transport.stop();
    this.reveal(0);
  }

  seek(time) {
    this.eager = false;
    this.follow = true;
    const to = Math.min(Math.max(0, time), this.roll.music.length);
    this.transport.seek(to);
    if (to === 0 && this.transport.state === "paused") this.transport.stop();
    this.reveal(to);
  }

  step(seconds) {
    this.seek(this.transport.position + seconds);
  }

  seekAt(x) {
    this.seek(this.roll.timeAt(x));
  }

  setVolume(volume) {
    sound.setVolume(volume);
    this.volume.style.setProperty("--full", `${volume * 100}%`);
  }

  setSpeed(speed) {
    sound.settings.speed = speed;
    this.transport.setSpeed(speed);
  }

  toggleLoop() {
    this.transport.loop = sound.settings.loop = !this.transport.loop;
    this.root.querySelector('[aria-label="Loop"]').setAttribute("aria-pressed", this.transport.loop);
  }

  get zoomed() {
    const { view, music } = this.roll;
    return view.to - view.from < music.length - 0.01;
  }

  /** Shows `factor` times as many seconds, keeping the time under `x` (or the playhead) there. */
  zoom(factor, x) {
    const { roll } = this;
    const span = roll.view.to - roll.view.from;
    const wanted = Math.min(Math.max(span * factor, LEAST_SPAN), Math.max(roll.music.length, LEAST_SPAN));
    const centre = x === undefined ? this.centre() : roll.timeAt(x);
    const share = (centre - roll.view.from) / span;
    this.whole_ = false;
    this.look(centre - share * wanted, wanted);
  }

  centre() {
    const { view } = this.roll;
    const at = this.transport.heard;
    return at >= view.from && at <= view.to ? at : (view.from + view.to) / 2;
  }

  whole() {
    this.whole_ = false;
    this.look(0, Math.max(this.roll.music.length, LEAST_SPAN));
  }

  pan(pixels) {
    this.follow = false;
    const { view, perSecond } = this.roll;
    this.look(view.from + pixels / perSecond, view.to - view.from);
  }

  moveTo(share) {
    const { view, music } = this.roll;
    const span = view.to - view.from;
    if (!this.zoomed) return this.seek(share * music.length);
    this.follow = false;
    this.look(share * music.length - span / 2, span);
  }

  look(from, span) {
    const latest = Math.max(0, this.roll.music.length - span);
    const start = Math.min(Math.max(0, from), latest);
    this.roll.view = { from: start, to: start + span };
    this.redraw();
  }

  /** Brings `time` into view if it is outside. */
  reveal(time) {
    const { view } = this.roll;
    if (time < view.from || time > view.to) {
      this.look(time - (view.to - view.from) * 0.1, view.to - view.from);
    } else this.redraw();
  }

  /** The comfortable view: all of it, or as much as can be told apart. */
  comfort() {
    const room = this.roll.size.width - this.roll.gutter;
    const dense = this.roll.gutter ? DENSE : DENSE_NARROW;
    const span = Math.max(LEAST_SPAN, Math.min(this.roll.music.length, Math.max(8, room / dense)));
    const from = Math.min(this.roll.view.from, Math.max(0, this.roll.music.length - span));
    this.roll.view = { from: Math.max(0, from), to: Math.max(0, from) + span };
  }

  followPlayhead(time) {
    if (!this.zoomed || !this.transport.active) return;
    const { view } = this.roll;
    const span = view.to - view.from;
    if (!this.follow) {
      this.follow = time > view.from + span * 0.3 && time < view.from + span * 0.5;
      return;
    }
    if (this.calm.matches) {
      if (time < view.from || time > view.to - span * 0.04) this.look(time - span * 0.06, span);
      return;
    }
    const goal = time - span * 0.4;
    if (time < view.from || time > view.to) this.look(goal, span);
    else if (goal > view.from) this.look(view.from + (goal - view.from) * 0.14, span);
  }

  refresh() {
    this.report();
    this.wake();
  }

  redraw() {
    this.stale = true;
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.paint(now));
  }

  paint(now) {
    this.frame = null;
    if (!this.colours || !this.roll.measure()) return;
    this.transport.tick();
    const time = this.transport.heard;
    this.followPlayhead(time);
    this.grow(now);
    if (this.stale) {
      this.stale = false;
      if (this.whole_) this.comfort();
      this.roll.drawBase(this.colours);
      this.roll.drawMapLayer();
      drawKeysAtRest(this.roll.keysLayer, this.roll.keysSize, this.colours);
      this.rollElement.classList.toggle("grab", this.zoomed);
    }
    const lit = this.soundingAt(time);
    this.roll.drawOverlay(time, lit.rows);
    this.roll.drawMap(time);
    drawKeys(this.roll.canvases.keys, this.roll.keysLayer, this.roll.keysSize, this.colours, lit.keys);
    this.writeTime(time);
    if (this.transport.active || this.sweeping) this.wake();
  }

  /** Draws newly arrived notes in a steady sweep, however the news was parcelled. */
  grow(now) {
    const { roll } = this;
    const passed = Math.min(0.1, (now - (this.painted ?? now)) / 1000);
    this.painted = now;
    this.sweeping = false;
    if (!roll.music.growing) return;
    const target = roll.music.running ? roll.music.frontier : roll.music.length;
    if (roll.shown < target) {
      const pace = Math.max(roll.music.length / SWEEP, (target - roll.shown) * 4);
      roll.shown = Math.min(target, roll.shown + pace * passed);
      this.stale = true;
    }
    this.sweeping = roll.shown < target;
    roll.music.growing = roll.music.running || this.sweeping;
  }

  /** What sounds at `time`: rows to highlight, keys to light. */
  soundingAt(time) {
    const lit = { rows: [], keys: new Map() };
    const { music } = this.roll;
    if (!this.transport.active && this.transport.state !== "paused") return lit;
    for (let i = firstFrom(music, time - this.roll.longest); i < music.count; i++) {
      const at = i * ROW;
      const [start, duration, pitch, velocity, part] = music.rows.subarray(at, at + ROW);
      if (start > time) break;
      if (start + duration - 0.02 <= time || sound.mix.opacity(part) < 1) continue;
      lit.rows.push(at);
      if (part !== BAND) lit.keys.set(pitch, { part, velocity });
    }
    return lit;
  }

  writeTime(time) {
    const at = clockText(time);
    const all = clockText(this.roll.music.length);
    if (this.written === at + all) return;
    this.written = at + all;
    this.root.querySelector(".at").textContent = at;
    this.root.querySelector(".all").textContent = all;
    const roll = this.rollElement;
    roll.setAttribute("aria-valuemax", this.roll.music.length.toFixed(1));
    roll.setAttribute("aria-valuenow", time.toFixed(1));
    roll.setAttribute("aria-valuetext", `${at} of ${all}`);
  }

  report() {
    const { root, transport } = this;
    root.dataset.state = transport.state;
    root.dataset.time = transport.position.toFixed(3);
    root.dataset.bank = sound.bankState;
    root.dataset.band = sound.bandState;
    const label = transport.active ? "Pause" : "Play";
    const button = root.querySelector(".play");
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  }
}

const players = new WeakMap();

function showPlayer({ parentElement, data, setTriggerValue }) {
  const { thing, cleanup } = kept(players, parentElement, () =>
    new Player(parentElement.querySelector(".player")));
  showNews(thing, data, setTriggerValue);
  return cleanup;
}
