// Hands the recorded piano to the page's sound, once.

export default function ({ data }) {
  if (data) sound.loadBank(data);
}
