// A passage that stands in known music too: underlined on the roll and its map, named by a tip.

const THICK = 4; // pixels

/** A line below the notes of `known`, [start, end, words], with a foot at each end. */
function drawKnown(pen, roll) {
  const [left, right] = roll.known.slice(0, 2).map((time) =>
    Math.min(roll.size.width, Math.max(roll.gutter, roll.xAt(time))));
  if (right - left < 1) return;
  const base = roll.size.height - THICK;
  pen.fillStyle = roll.colours.ink(0.9);
  pen.fillRect(left, base, right - left, THICK);
  for (const x of [left, right - THICK]) pen.fillRect(x, base - 8, THICK, 8);
}

/** The same line on the map, where it can be found when it is out of view. */
function drawKnownSmall(pen, roll) {
  const { width, height } = roll.mapSize;
  const across = width / Math.max(0.001, roll.music.length);
  const [start, end] = roll.known;
  pen.fillStyle = roll.colours.ink(0.75);
  pen.fillRect(start * across, height - 2, Math.max(3, (end - start) * across), 2);
}

/** While the pointer is in the passage, the roll's tip says what it is. */
function tipOfKnown(element, roll) {
  element.addEventListener("pointermove", (event) => {
    const time = roll.timeAt(event.clientX - element.getBoundingClientRect().left);
    const [start, end, words] = roll.known ?? [Infinity, 0, ""];
    const tip = time >= start && time <= end ? words : "";
    if (element.title !== tip) element.title = tip;
  });
}
