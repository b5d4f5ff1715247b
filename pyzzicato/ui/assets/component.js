// What a component is sent with each time: its code is on the page already, or comes at once.

const page = (globalThis.pyzzicato ??= { waiting: [] });

/** Gives it the size that it will have. */
function outline({ data, parentElement }) {
  const bytes = data.slice(); // as in music.js
  const end = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end)));
  const root = parentElement.querySelector(".NAME");
  root.style.setProperty("--height", `${header.height}px`);
  root.style.setProperty("--cards", header.cards?.length);
  root.classList.toggle("blind", header.height === 0);
  root.classList.toggle("row", header.layout === "row");
  const action = root.querySelector(".words");
  if (action) action.hidden = !header.offer_continue || header.running;
}

export default function (component) {
  if (page.show) return page.show.NAME(component);
  if (component.data) outline(component);
  let cleanup;
  page.waiting.push(() => {
    if (component.parentElement.isConnected) cleanup = page.show.NAME(component);
  });
  return () => cleanup?.();
}
