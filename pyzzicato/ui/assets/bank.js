// Hands recordings, of the piano or of the band, to the page's sound, once.

const page = (globalThis.pyzzicato ??= { waiting: [] });

export default function ({ data }) {
  const load = () => globalThis.pyzzicatoSound.loadBank(data);
  if (!data) return;
  if (page.show) load();
  else page.waiting.push(load);
}
