// Presses the download button of a file that was made because the person asked for it, once.

const fetched = (globalThis.pyzzicatoFetched ??= new Set());

export default function ({ data }) {
  if (!data || fetched.has(data.id)) return;
  fetched.add(data.id);
  press(`.st-key-file-${data.id} button`, Date.now() + 30_000); // Streamlit may draw it later
}

function press(selector, limit) {
  const button = document.querySelector(selector);
  if (button) button.click();
  else if (Date.now() < limit) setTimeout(press, 50, selector, limit);
}
