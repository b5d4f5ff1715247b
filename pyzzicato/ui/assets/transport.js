// Playing a piece that may still be growing: place, speed, loop, and what to strike next.
// Music is {rows, count, length, frontier, running}: rows of five numbers (start, duration,
// pitch, velocity, part) sorted by start; nothing is known yet beyond `frontier` while `running`.

const ROW = 5;
const AHEAD = 0.25; // seconds of sound scheduled in advance
const AHEAD_HIDDEN = 1.6; // a hidden tab's timers fire once a second
const ENOUGH = 0.5; // seconds of music that must be there before playing goes on

const NO_MUSIC = { rows: new Float32Array(0), count: 0, length: 0, frontier: 0, running: false };

/** The longest duration of the rows, in seconds. */
function longestNote(music) {
  let longest = 0;
  for (let i = 0; i < music.count; i++) longest = Math.max(longest, music.rows[i * ROW + 1]);
  return longest;
}

/** The first row that starts at or after `time`. */
function firstFrom(music, time) {
  let low = 0;
  let high = music.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (music.rows[middle * ROW] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Transport {
  constructor(notify) {
    this.notify = notify;
    this.music = NO_MUSIC;
    this.longest = 0;
    this.state = "idle"; // idle, playing, paused, waiting
    this.place = 0;
    this.struck = new Set();
    this.sounding = [];
    this.timer = null;
    this.speed = sound.settings.speed;
    this.loop = false;
  }

  get active() {
    return this.state === "playing" || this.state === "waiting";
  }

  get position() {
    if (this.state !== "playing") return this.place;
    const at = this.place + (sound.now - this.since) * this.speed;
    return Math.min(Math.max(at, this.place), this.end);
  }

  /** Where what is *heard* now is written. */
  get heard() {
    if (this.state !== "playing") return this.place;
    return Math.max(this.from, this.position - sound.latency * this.speed);
  }

  get end() {
    return this.music.running ? this.music.frontier : this.music.length;
  }

  /** New notes. With `other` they are a different piece, heard from the same place on. */
  setMusic(music, other) {
    const at = this.position;
    this.music = music;
    this.longest = longestNote(music);
    if (other) this.silence(0.08);
    if (at > music.length) this.seek(music.length);
    else if (this.active) this.tick();
  }

  async play(from = this.place) {
    if (!this.music.running && from >= this.music.length - 0.02) from = 0;
    sound.claim(this);
    this.place = from;
    this.struck.clear();
    this.change("waiting"); // until the browser lets the sound begin
    await sound.unlock();
    if (this.state !== "waiting") return;
    this.timer ??= setInterval(() => this.tick(), 40);
    this.tick();
  }

  pause() {
    if (!this.active) return;
    this.place = this.position;
    this.halt("paused");
  }

  stop() {
    this.place = 0;
    this.halt("idle");
  }

  halt(state) {
    clearInterval(this.timer);
    this.timer = null;
    this.silence();
    this.change(state);
    if (sound.owner === this) sound.rest();
  }

  seek(time) {
    this.place = Math.min(Math.max(0, time), this.music.length);
    this.silence();
    if (this.state === "playing") this.anchor(this.place);
    if (this.state === "idle" && this.place > 0) this.change("paused");
    else this.notify();
    if (this.active) this.tick();
  }

  setSpeed(speed) {
    if (this.state === "playing") this.anchor(this.position);
    const slower = this.speed / speed;
    this.speed = speed;
    for (const { voice, end } of this.sounding) {
      const left = end - sound.now;
      if (left > 0 && !voice.rings && sound.voices.has(voice)) sound.release(voice, sound.now + left * slower);
    }
  }

  anchor(place) {
    this.place = place;
    this.from = place;
    this.since = sound.now;
    this.clock = sound.live;
  }

  change(state) {
    this.state = state;
    this.notify();
  }

  silence(seconds) {
    this.struck.clear();
    this.sounding = [];
    if (sound.context && sound.owner === this) sound.hush(seconds);
  }

  /** Keeps the sound going; called often while active, harmless at any time. */
  tick() {
    if (!this.active || !this.timer) return;
    if (this.state === "playing" && this.clock !== sound.live) this.anchor(this.lastSeen);
    const at = this.position;
    this.lastSeen = at;
    const ahead = this.music.frontier - at;
    if (this.state === "waiting") {
      if (this.music.running && ahead < ENOUGH) return;
      this.anchor(at);
      this.change("playing");
    } else if (this.music.running && ahead <= 0.05) {
      this.place = at;
      this.change("waiting");
      return;
    } else if (!this.music.running && at >= this.music.length - 1e-3) {
      this.finish();
      return;
    }
    this.schedule(at, at + (document.hidden ? AHEAD_HIDDEN : AHEAD) * this.speed);
  }

  finish() {
    if (this.loop && this.music.length > 0.5) {
      this.struck.clear(); // the last notes ring over into the first
      this.anchor(0);
      this.tick();
      return;
    }
    clearInterval(this.timer);
    this.timer = null;
    this.place = this.music.length;
    this.change("idle");
    sound.rest();
  }

  /** Strikes what starts before `until`, and joins what already sounds at `at`. */
  schedule(at, until) {
    if (!sound.live) return; // silent, but the playhead moves
    const { rows, count } = this.music;
    const soon = 0.05 * this.speed;
    for (let i = firstFrom(this.music, at - this.longest - 0.01); i < count; i++) {
      const start = rows[i * ROW];
      if (start >= until) break;
      const end = start + rows[i * ROW + 1];
      const part = rows[i * ROW + 4];
      const name = (Math.round(start * 2000) * 32 + part) * 128 + rows[i * ROW + 2];
      if (this.struck.has(name) || (end < at + soon && start < at)) continue;
      this.struck.add(name);
      const joined = start < at - soon ? (at - start) / this.speed : 0;
      const when = joined ? sound.now : this.since + (start - this.from) / this.speed;
      const over = this.since + (end - this.from) / this.speed;
      const voice = sound.strike(rows[i * ROW + 2], rows[i * ROW + 3], when, over, joined, part);
      this.sounding.push({ voice, end: over });
    }
    this.sounding = this.sounding.filter(({ voice }) => sound.voices.has(voice));
  }
}
