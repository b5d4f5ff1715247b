// Five instruments: their parts, colours, loudness, and what sounds until the recordings are there.

const BAND = 16; // the part of the drums; the four others follow
const BAND_NAMES = ["Drums", "Piano", "Guitar", "Bass", "Strings"];
const BAND_COLOURS = ["#5B5866", "#2B6CC4", "#12866A", "#B0417F", "#B27A00"];
const BAND_COLOURS_DARK = ["#BCB7CE", "#7FB2FF", "#5CC9A7", "#F08BC6", "#F0C04F"];
const BAND_LEVEL = 0.5; // five play louder than one
const FAINT = 0.22; // opacity of what is muted

// Drums have no place on the keyboard: a lane below it, the kick lowest, cymbals on top.
const LANE_ROWS = 6;
const DRUM_ROWS = new Map();
[[35, 36], [37, 38, 39, 40], [41, 43, 45, 47, 48, 50], [42, 44, 46], [49, 51, 52, 53, 55, 57, 59]]
  .forEach((pitches, row) => pitches.forEach((pitch) => DRUM_ROWS.set(pitch, row)));

/** Whether a part of the music is an instrument of the band. */
function inBand(part) {
  return part >= BAND && part < BAND + BAND_NAMES.length;
}

/** The row of a drum in the lane, 0 at the bottom; the last one is for all other percussion. */
function drumRow(pitch) {
  return DRUM_ROWS.get(pitch) ?? LANE_ROWS - 1;
}

const HI_HATS = new Set([42, 44, 46]); // each silences what rings of the others

/** Whether drums play in `music`. */
function hasDrums(music) {
  for (let i = 0; i < music.count; i++) if (music.rows[i * ROW + 4] === BAND) return true;
  return false;
}

/** What each instrument is to be heard of: volume, muted, solo; the same for the whole page. */
class Mix {
  constructor() {
    this.channels = BAND_NAMES.map(() => ({ volume: 0.9, muted: false, solo: false }));
  }

  /** 0 to 1: how loud instrument `number` is heard. */
  level(number) {
    const { volume, muted, solo } = this.channels[number];
    const alone = this.channels.some((each) => each.solo);
    return (alone ? solo : !muted) ? volume ** 2 : 0;
  }

  /** The opacity on the roll of a note of `part`. */
  opacity(part) {
    return inBand(part) && this.level(part - BAND) === 0 ? FAINT : 1;
  }
}

/** A gain for each instrument, all into `output`. */
function openChannels(context, output, mix) {
  const together = new GainNode(context, { gain: BAND_LEVEL });
  together.connect(output);
  return BAND_NAMES.map((_, number) => {
    const gain = new GainNode(context, { gain: mix.level(number) });
    gain.connect(together);
    return gain;
  });
}

/** The computed instrument that stands in for a recorded one. */
function standIn(name) {
  return { Guitar: INSTRUMENTS[4], Bass: BASS, Strings: INSTRUMENTS[0] }[name];
}

const BASS = { partials: [1, 0.6, 0.3, 0.12, 0.05], attack: 0.004, decay: 1.2, level: 0.6 };

/** A computed stroke: a falling tone for the low drums, noise for the others. */
function computedDrum(pitch) {
  const rate = 22050;
  const row = drumRow(pitch);
  const low = row === 0 || row === 2;
  const seconds = [0.25, 0.2, 0.3, pitch === 46 ? 0.35 : 0.07, 1.2, 0.15][row];
  const wave = new Float32Array(Math.round(rate * seconds));
  for (let i = 0; i < wave.length; i++) {
    const time = i / rate;
    const hertz = (row === 0 ? 50 : 60 + pitch) * (1 + 1.2 * Math.exp(-time * 40));
    const tone = low ? Math.sin(2 * Math.PI * hertz * time) : Math.random() * 2 - 1;
    wave[i] = 0.5 * tone * Math.exp((-5 * time) / seconds);
  }
  const buffer = new AudioBuffer({ length: wave.length, sampleRate: rate });
  buffer.copyToChannel(wave, 0);
  return { buffer };
}
