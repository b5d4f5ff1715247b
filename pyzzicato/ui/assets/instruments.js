// Instruments that are computed, for takes that sound together: one for each part after the
// first, which is the piano. `partials` are strengths of the harmonics; a tone begins within
// `attack` seconds and dies away with `decay` (0: it lasts as long as the note).

const INSTRUMENTS = [
  { partials: [1, 0.6, 0.45, 0.3, 0.22, 0.15, 0.1, 0.06], attack: 0.12, decay: 0, level: 0.2 }, // strings
  { partials: [1, 0.22, 0.07, 0.02], attack: 0.05, decay: 0, level: 0.34 }, // flute
  { partials: [1, 0, 0, 0.35, 0, 0, 0, 0, 0, 0.08], attack: 0.002, decay: 0.9, level: 0.5 }, // vibraphone
  { partials: [1, 0.7, 0.6, 0.5, 0.35, 0.3, 0.2, 0.14, 0.1], attack: 0.07, decay: 0, level: 0.16 }, // violin
  { partials: [1, 0.55, 0.4, 0.16, 0.12, 0.05], attack: 0.002, decay: 0.5, level: 0.5 }, // guitar
  { partials: [1, 0.7, 0.4, 0.2, 0.08], attack: 0.06, decay: 0, level: 0.24 }, // horn
  { partials: [1, 0.8, 0.5, 0.4, 0.2, 0.15, 0.08], attack: 0.09, decay: 0, level: 0.2 }, // cello
  { partials: [1, 0.02, 0.55, 0.02, 0.25, 0.02, 0.12], attack: 0.04, decay: 0, level: 0.24 }, // clarinet
  { partials: [1, 0.4, 0.2, 0.1, 0.04], attack: 0.002, decay: 0.8, level: 0.5 }, // harp
];

/** The instrument of a part of the music, or null for the piano. */
function instrumentOf(part) {
  return part < 2 || part >= EARLIER ? null : INSTRUMENTS[(part - 2) % INSTRUMENTS.length];
}

/** One tone of `instrument`: a source that is silent before `start`, not yet connected. */
function tone(context, instrument, pitch) {
  instrument.waves ??= new WeakMap();
  if (!instrument.waves.has(context)) {
    const strengths = new Float32Array([0, ...instrument.partials]);
    instrument.waves.set(
      context, context.createPeriodicWave(new Float32Array(strengths.length), strengths),
    );
  }
  return new OscillatorNode(context, {
    periodicWave: instrument.waves.get(context), frequency: 440 * 2 ** ((pitch - 69) / 12),
  });
}
