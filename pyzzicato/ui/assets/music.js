// The bytes that Python sends: a length, a JSON header, and notes as rows of five numbers.

/** {header, rows} of a message: uint32 length of the header, JSON, float32 rows (little-endian). */
function unpack(bytes) {
  const whole = bytes.slice(); // at an offset that is a multiple of 4
  const length = new DataView(whole.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
  return { header, rows: new Float32Array(whole.buffer, 4 + length) };
}

/** The notes of `have` and of `more`, each once, by when they start. */
function joined(have, more) {
  const notes = new Map();
  for (const rows of [have, more]) {
    for (let at = 0; at < rows.length; at += ROW) {
      const note = rows.subarray(at, at + ROW);
      notes.set(note.join(), note);
    }
  }
  const sorted = [...notes.values()].sort((one, other) => one[0] - other[0]);
  const all = new Float32Array(sorted.length * ROW);
  sorted.forEach((note, place) => all.set(note, place * ROW));
  return all;
}

/** Music that arrives in parts: while it grows only what is new is sent. */
class Arrived {
  constructor() {
    this.what = null;
    this.rows = new Float32Array(0);
  }

  /** Adds rows of `what`, which has `count` in all; whether all of them are there now. */
  add(what, rows, count) {
    const whole = rows.length === count * ROW;
    this.rows = whole || what !== this.what ? rows : joined(this.rows, rows);
    this.what = what;
    return this.rows.length === count * ROW;
  }
}

/** Whether Streamlit has sent again what is there already. */
function unchanged(bytes, before) {
  return before?.length === bytes.length && bytes.every((value, i) => value === before[i]);
}

/** Shows news in `thing`, which asks for all of the music where a part of it was missed. */
function showNews(thing, data, send) {
  thing.send = send;
  if (data && !unchanged(data, thing.bytes) && !thing.update(unpack(data))) send("whole", Date.now());
  thing.bytes = data;
}

/** Keeps what is made for an element across Streamlit's calls; destroys it when it has gone. */
function kept(registry, parent, make) {
  let thing = registry.get(parent);
  if (!thing) registry.set(parent, (thing = make()));
  // Streamlit also cleans up after a call that a newer one has overtaken: the element decides.
  const host = parent.host ?? parent;
  const cleanup = () => setTimeout(() => {
    if (host.isConnected) return;
    thing.destroy();
    registry.delete(parent);
  }, 60);
  return { thing, cleanup };
}
