// What a component is sent with each time: its code is on the page already, or comes at once.

const page = (globalThis.pyzzicato ??= { waiting: [] });

export default function (component) {
  if (page.show) return page.show.NAME(component);
  let cleanup;
  page.waiting.push(() => {
    if (component.parentElement.isConnected) cleanup = page.show.NAME(component);
  });
  return () => cleanup?.();
}
