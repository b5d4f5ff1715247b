// The end of the page's code, which is sent once: shows what has been waiting for it.

export default function () {
  const page = (globalThis.pyzzicato ??= { waiting: [] });
  page.show ??= { player: showPlayer, cards: showCards };
  for (const show of page.waiting.splice(0)) show();
}
