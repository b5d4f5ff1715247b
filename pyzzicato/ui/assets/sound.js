// The sound of the page: one audio context, one piano, one band, shared by every player and card.

const VOICES = 80; // more strings than a listener can tell apart
const DECODE_WITHIN = 4; // seconds in which the recorded piano should be decoded
const DECODE_BAND_WITHIN = 12; // and the band
const REST_AFTER = 20; // seconds of silence after which the audio context sleeps

/** A plucked-string tone computed in the browser: heard until the recorded piano is decoded. */
function computedString(root) {
  const rate = 22050;
  const seconds = root < 60 ? 3.2 : 2.2;
  const wave = new Float32Array(Math.round(rate * seconds));
  const pitch = 440 * 2 ** ((root - 69) / 12);
  for (let partial = 1; partial <= 9; partial++) {
    const frequency = pitch * partial * Math.sqrt(1 + 0.0004 * partial * partial);
    if (frequency > rate * 0.45) break;
    const decay = (0.9 + 0.5 * partial) * (root / 60) ** 1.6;
    const weight = (partial === 1 ? 1 : 0.75) / partial ** 1.25;
    const turn = (2 * Math.PI * frequency) / rate;
    for (let i = 0; i < wave.length; i++) {
      wave[i] += weight * Math.exp((-decay * i) / rate) * Math.sin(turn * i);
    }
  }
  const last = Math.round(rate * 0.05); // no click where the computed tone runs out
  for (let i = 0; i < last; i++) wave[wave.length - 1 - i] *= i / last;
  const buffer = new AudioBuffer({ length: wave.length, sampleRate: rate });
  buffer.copyToChannel(wave.map((value) => value * 0.32), 0);
  return { root, buffer, level: 1 };
}

/** {header, from} of a bank of recordings; tools/carve_soundfont.py describes the bytes. */
function openBank(bytes) {
  const whole = bytes.slice().buffer;
  const view = new DataView(whole);
  if (view.getUint32(0, true) !== 0x31425a50) throw new Error("not a bank of recordings"); // "PZB1"
  const start = 8 + view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 8, start - 8)));
  return { header, whole, start };
}

/** What is recorded in a bank, decoded: the piano's samples, or those of each of the band. */
async function decodeBank({ header, whole, start }, keeper) {
  // Decoding needs no permission to sound, so it is done before the first press.
  // The sound holds on to the decoder: one that is collected midway never answers.
  const decoder = new OfflineAudioContext(1, 1, header.sample_rate);
  keeper.decoders.push(decoder);
  const decode = async (sample) => {
    const from = start + sample.offset;
    const buffer = await decoder.decodeAudioData(whole.slice(from, from + sample.bytes));
    return { root: sample.key, low: sample.low, high: sample.high, buffer, loop: sample.loop, level: 1 };
  };
  const each = async ({ samples, release_seconds: release, lowpass, level }) =>
    ({ samples: await Promise.all(samples.map(decode)), release, lowpass, level });
  if (!header.instruments) return each(header);
  const found = Object.entries(header.instruments).map(async ([name, one]) => [name, await each(one)]);
  return Object.fromEntries(await Promise.all(found));
}

/** The echo of a small room, as an impulse: noise that dies away. */
function room(context) {
  const rate = context.sampleRate;
  const buffer = new AudioBuffer({ length: Math.round(rate * 1.3), sampleRate: rate, numberOfChannels: 2 });
  for (let channel = 0; channel < 2; channel++) {
    const wave = buffer.getChannelData(channel);
    let smooth = 0;
    for (let i = 0; i < wave.length; i++) {
      smooth += 0.35 * (Math.random() * 2 - 1 - smooth); // a room swallows the treble first
      wave[i] = smooth * Math.exp((-5.2 * i) / rate) * Math.min(1, i / (rate * 0.012));
    }
  }
  return buffer;
}

class Sound {
  constructor() {
    this.context = null;
    this.bankState = "synth"; // "loading" while the recorded piano is decoded, then "ready"
    this.bank = null;
    this.bandState = "synth"; // the same of the band
    this.band = null;
    this.decoders = [];
    this.mix = new Mix();
    this.computed = new Map();
    this.voices = new Set();
    this.listeners = new Set();
    this.owner = null; // the one transport that may sound
    this.settings = { volume: 0.9, speed: 1, loop: false };
    // Browsers keep a page silent until it is touched. The press that asks for music may be on
    // a button outside this component, so the whole document is listened to.
    const wake = async () => {
      if (!this.live && (await this.unlock())) this.rest();
    };
    for (const type of ["pointerdown", "pointerup", "keydown"]) {
      document.addEventListener(type, wake, { capture: true, passive: true });
    }
  }

  get live() {
    return this.context !== null && this.context.state === "running";
  }

  /** Seconds on the clock the sound runs by; the page's own clock while there is no sound. */
  get now() {
    return this.live ? this.context.currentTime : performance.now() / 1000;
  }

  /** Seconds between what is computed now and what is heard now. */
  get latency() {
    return this.live ? Math.min(0.2, this.context.outputLatency || this.context.baseLatency || 0) : 0;
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  /** Starts the audio context if the browser allows it; true when sound can be heard. */
  async unlock() {
    if (!this.context) this.open();
    if (this.context.state !== "running") {
      try {
        await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 400))]);
      } catch {
        return false; // the browser refuses until the page is touched
      }
      if (this.live) this.tell();
    }
    return this.live;
  }

  open() {
    const context = new AudioContext({ latencyHint: "interactive" });
    const limiter = new DynamicsCompressorNode(context, {
      threshold: -7, knee: 6, ratio: 12, attack: 0.003, release: 0.2,
    });
    this.bus = new GainNode(context, { gain: 0.85 });
    this.volume = new GainNode(context, { gain: this.settings.volume ** 2 });
    const echo = new ConvolverNode(context, { buffer: room(context) });
    const wet = new GainNode(context, { gain: 0.16 });
    this.bus.connect(limiter);
    this.bus.connect(echo).connect(wet).connect(limiter);
    limiter.connect(this.volume).connect(context.destination);
    this.channels = openChannels(context, this.bus, this.mix);
    this.context = context;
  }

  setVolume(volume) {
    this.settings.volume = volume;
    if (this.context) this.volume.gain.setTargetAtTime(volume ** 2, this.context.currentTime, 0.02);
  }

  /** Changes what is heard of one instrument of the band, at once. */
  setChannel(number, change) {
    Object.assign(this.mix.channels[number], change);
    this.channels?.forEach((gain, each) =>
      gain.gain.setTargetAtTime(this.mix.level(each), this.context.currentTime, 0.015));
    this.tell();
  }

  /** Makes `transport` the one that sounds; whichever sounded before is paused. */
  claim(transport) {
    clearTimeout(this.bedtime);
    if (this.owner && this.owner !== transport) this.owner.pause();
    this.owner = transport;
  }

  /** Lets the audio context sleep when nothing has sounded for a while. */
  rest() {
    clearTimeout(this.bedtime);
    this.bedtime = setTimeout(() => {
      if (!this.owner?.active) this.context?.suspend();
    }, REST_AFTER * 1000);
  }

  /** Takes recordings, of the piano or the band; until they are decoded, computed ones sound. */
  async loadBank(bytes) {
    const opened = openBank(bytes);
    const [bank, state, within] = opened.header.instruments
      ? ["band", "bandState", DECODE_BAND_WITHIN] : ["bank", "bankState", DECODE_WITHIN];
    if (this[state] !== "synth") return;
    this[state] = "loading";
    this.tell();
    try {
      this[bank] = await this.patiently(() => decodeBank(opened, this), within);
      this[state] = "ready";
    } catch (error) {
      console.warn("The recordings could not be read; computed ones play.", error);
      this[state] = "synth";
    }
    this.tell();
  }

  /** What `work` comes to; asked again, twice, where there is no answer within some seconds. */
  async patiently(work, seconds, again = 2) {
    const silence = new Promise((resolve) => setTimeout(resolve, seconds * 1000, null));
    const found = await Promise.race([work(), silence]);
    if (found) return found;
    if (again === 0) throw new Error("no answer from the decoder");
    return this.patiently(work, seconds, again - 1);
  }

  sampleFor(pitch) {
    const recorded = this.bank?.samples.find((each) => each.low <= pitch && pitch <= each.high);
    if (recorded) return recorded;
    const root = Math.min(108, Math.max(24, Math.round(pitch / 6) * 6));
    if (!this.computed.has(root)) this.computed.set(root, computedString(root));
    return this.computed.get(root);
  }

  /**
   * Plays one note: `when` and `until` on this clock, `offset` seconds into its own sound (for a
   * note that is joined midway). Parts from 2 on have instruments of their own, and those from
   * BAND on are the band's. Returns the voice.
   */
  strike(pitch, velocity, when, until, offset = 0, part = 0) {
    if (inBand(part)) return this.strikeBand(part - BAND, pitch, velocity, when, until, offset);
    const instrument = instrumentOf(part);
    if (instrument) return this.sing(instrument, pitch, velocity, when, until, offset, this.bus);
    return this.strikePiano(pitch, velocity, when, until, offset, this.bus);
  }

  strikePiano(pitch, velocity, when, until, offset, output) {
    const sample = this.sampleFor(pitch);
    const force = velocity / 127;
    const { hz, cents, q_db } = this.bank?.lowpass ?? { hz: 9000, cents: -2400, q_db: -3 };
    const tone = new BiquadFilterNode(this.context, {
      type: "lowpass", Q: q_db, frequency: hz * 2 ** ((cents * (1 - force)) / 1200),
    });
    const note = { pitch, rate: 2 ** ((pitch - sample.root) / 12), level: sample.level * force ** 2 };
    return this.ring(sample, note, when, until, offset, output, tone);
  }

  /** Plays one note of the band's instrument `number`. */
  strikeBand(number, pitch, velocity, when, until, offset) {
    const name = BAND_NAMES[number];
    const output = this.channels[number];
    if (name === "Piano") return this.strikePiano(pitch, velocity, when, until, offset, output);
    const drums = name === "Drums";
    const recorded = this.band?.[name];
    if (!recorded && !drums) {
      return this.sing(standIn(name), pitch, velocity, when, until, offset, output);
    }
    const sample = recorded ? recorded.samples.find((each) => pitch <= each.high) : computedDrum(pitch);
    const rate = drums ? 1 : 2 ** ((pitch - sample.root) / 12);
    const level = (recorded?.level ?? 1) * (velocity / 127) ** 2;
    const note = { pitch, rate, level, fade: recorded?.release, rings: drums, hat: drums && HI_HATS.has(pitch) };
    if (note.hat) this.chokeHats(when);
    // A drum rings as long as it rings.
    const last = drums ? when + sample.buffer.duration - offset : until;
    return this.ring(sample, note, when, last, offset, output);
  }

  /** Silences the hi-hat that rings, when another is struck. */
  chokeHats(when) {
    for (const voice of this.voices) {
      if (voice.hat && voice.start < when - 0.01) this.release({ ...voice, fade: 0.012 }, when);
    }
  }

  /** Plays a sample, perhaps through a filter; `note` has pitch, rate, level, and what else a voice has. */
  ring(sample, { rate, ...note }, when, until, offset, output, filter) {
    const context = this.context;
    const source = new AudioBufferSourceNode(context, { buffer: sample.buffer, playbackRate: rate });
    if (sample.loop) [source.loop, source.loopStart, source.loopEnd] = [true, ...sample.loop];
    const gain = new GainNode(context, { gain: 0 });
    const start = Math.max(when, context.currentTime + 0.002);
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(note.level, start + (offset ? 0.03 : 0.003));
    (filter ? source.connect(filter) : source).connect(gain).connect(output);
    source.start(start, offset * rate);
    return this.keep({ source, gain, start, ...note }, until);
  }

  /** Plays one note on a computed instrument. */
  sing(instrument, pitch, velocity, when, until, offset, output) {
    const context = this.context;
    const source = tone(context, instrument, pitch);
    const gain = new GainNode(context, { gain: 0 });
    const level = instrument.level * (velocity / 127) ** 1.5;
    const start = Math.max(when, context.currentTime + 0.002);
    const loud = start + (offset ? 0.03 : instrument.attack);
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(level, loud);
    if (instrument.decay) gain.gain.setTargetAtTime(0, loud, instrument.decay);
    source.connect(gain).connect(output);
    source.start(start);
    return this.keep({ source, gain, start, pitch, level }, until);
  }

  /** Remembers a voice that was started, and lets it end at `until`. */
  keep(voice, until) {
    const { source, gain, start } = voice;
    this.voices.add(voice);
    this.release(voice, Math.max(until, start + 0.06));
    source.onended = () => {
      this.voices.delete(voice);
      gain.disconnect();
    };
    this.thin();
    return voice;
  }

  /** Puts the damper down at `when`. The top strings of a piano have none. */
  release(voice, when) {
    const fade = voice.fade ?? (voice.pitch >= 90 ? 0.45 : (this.bank?.release ?? 0.12));
    const attacked = voice.start + 0.04;
    const at = Math.max(when, this.context.currentTime, attacked);
    voice.gain.gain.cancelScheduledValues(attacked);
    voice.gain.gain.setTargetAtTime(0, at, fade);
    voice.source.stop(at + fade * 7);
  }

  thin() {
    let surplus = this.voices.size - VOICES;
    for (const voice of this.voices) {
      if (surplus-- <= 0) return;
      this.fade(voice, 0.03);
    }
  }

  fade(voice, seconds) {
    const now = this.context.currentTime;
    const parameter = voice.gain.gain;
    this.voices.delete(voice);
    if (voice.start > now) {
      voice.source.stop(now); // never begins
      return;
    }
    if (parameter.cancelAndHoldAtTime) parameter.cancelAndHoldAtTime(now);
    else {
      parameter.cancelScheduledValues(now);
      parameter.setValueAtTime(parameter.value, now);
    }
    parameter.setTargetAtTime(0, now, seconds);
    voice.source.stop(now + seconds * 8);
  }

  /** Silence, softly, whatever sounds or was about to. */
  hush(seconds = 0.04) {
    for (const voice of [...this.voices]) this.fade(voice, seconds);
  }
}

// One for the page, whichever component's script comes first.
const sound = (globalThis.pyzzicatoSound ??= new Sound());
