// Mouse, touch and keys on the roll and its map, told to a `player` as seek, pan and zoom.

const SHIFT = 4; // pixels a finger may tremble during a click

/** Presses, drags and pinches on the roll. */
function listenToRoll(element, player) {
  const fingers = new Map();
  let drag = null;
  let pinch = null;
  const inside = (event) => event.clientX - element.getBoundingClientRect().left;
  const spread = () => {
    const [one, two] = [...fingers.values()];
    return { gap: Math.max(20, Math.abs(one - two)), middle: (one + two) / 2 };
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, inside(event));
    if (fingers.size === 2) {
      pinch = spread();
      drag = null;
    } else if (fingers.size === 1) drag = { x: inside(event), moved: false };
  });
  element.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, inside(event));
    if (pinch && fingers.size === 2) {
      const now = spread();
      player.zoom(pinch.gap / now.gap, now.middle);
      player.pan(pinch.middle - now.middle);
      pinch = now;
    } else if (drag) {
      const x = inside(event);
      if (Math.abs(x - drag.x) > SHIFT) drag.moved = true;
      if (!drag.moved) return;
      if (player.zoomed) {
        element.classList.add("grabbing");
        player.pan(drag.x - x);
        drag.x = x;
      } else player.seekAt(x);
    }
  });
  const lift = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    element.classList.remove("grabbing");
    if (event.type === "pointerup" && drag && !drag.moved) player.seekAt(inside(event));
    drag = null;
    if (fingers.size < 2) pinch = null;
  };
  element.addEventListener("pointerup", lift);
  element.addEventListener("pointercancel", lift);
  element.addEventListener("wheel", (event) => wheel(event, element, player, inside), { passive: false });
}

/** A plain wheel zooms only once the roll has been pressed, so that it never traps the page. */
function wheel(event, element, player, inside) {
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
  const focused = element.getRootNode().activeElement === element;
  if (sideways) {
    if (!player.zoomed) return;
    event.preventDefault();
    player.pan(event.deltaX || event.deltaY);
  } else if (event.ctrlKey || event.metaKey || focused) {
    event.preventDefault();
    const speed = event.ctrlKey ? 0.01 : 0.0016;
    player.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * speed * 1.5), inside(event));
  }
}

/** Dragging on the map moves the window; where all is in view, the place in the music. */
function listenToMap(element, player) {
  let held = false;
  const go = (event) => {
    const box = element.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    player.moveTo(share);
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = true;
    element.setPointerCapture(event.pointerId);
    go(event);
  });
  element.addEventListener("pointermove", (event) => held && go(event));
  for (const type of ["pointerup", "pointercancel"]) {
    element.addEventListener(type, () => (held = false));
  }
}

/** Keys, wherever in the player the focus is, unless the focused control needs them itself. */
function listenToKeys(root, player) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const kind = event.target.tagName;
    if (kind === "INPUT" || kind === "SELECT") return;
    if (kind === "BUTTON" && (event.key === " " || event.key === "Enter")) return;
    const far = event.shiftKey ? 10 : 2;
    const actions = {
      " ": () => player.toggle(),
      ArrowLeft: () => player.step(-far),
      ArrowRight: () => player.step(far),
      Home: () => player.seek(0),
      End: () => player.seek(Infinity),
      "+": () => player.zoom(0.7),
      "=": () => player.zoom(0.7),
      "-": () => player.zoom(1 / 0.7),
      0: () => player.whole(),
      l: () => player.toggleLoop(),
      L: () => player.toggleLoop(),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation(); // the page has shortcuts of its own
    actions[event.key]();
  });
}
