// Hands recordings, of the piano or of the band, to the page's sound, once.

export default function ({ data }) {
  if (data) sound.loadBank(data);
}
