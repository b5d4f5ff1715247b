// The bytes that Python sends: a length, a JSON header, and notes as rows of five numbers.

/** {header, rows} of a message: uint32 length of the header, JSON, float32 rows (little-endian). */
function unpack(bytes) {
  const whole = bytes.slice(); // at an offset that is a multiple of 4
  const length = new DataView(whole.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
  return { header, rows: new Float32Array(whole.buffer, 4 + length) };
}

/** Whether Streamlit has sent again what is there already. */
function unchanged(bytes, before) {
  return before?.length === bytes.length && bytes.every((value, i) => value === before[i]);
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
