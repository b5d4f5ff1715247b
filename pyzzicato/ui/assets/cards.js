// Small rolls to choose from: the seeds as cards, the takes as a row. A radio group for the
// keyboard and for screen readers; a play dot beside each card lets it be heard.

const SETTLE = 220; // milliseconds of quiet before a choice made by arrow keys is sent

const DOT = `<svg viewBox="0 0 20 20" aria-hidden="true"><path class="go" d="M7 4.8v10.4L15.2 10z"/>
<path class="hold" d="M6 5h2.8v10H6zM11.2 5H14v10h-2.8z"/></svg>`;

class Cards {
  constructor(root) {
    this.root = root;
    this.list = root.querySelector(".list");
    this.probe = root.querySelector(".probe");
    this.cards = [];
    this.chosen = null;
    this.playing = null;
    this.transport = new Transport(() => this.showPlaying());
    this.probe.addEventListener("transitionend", () => this.theme());
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.list);
    this.list.addEventListener("click", (event) => this.pressed(event));
    this.list.addEventListener("keydown", (event) => this.typed(event));
    this.theme();
  }

  destroy() {
    this.transport.stop();
    this.resized.disconnect();
    clearTimeout(this.pending);
  }

  theme() {
    this.colours = palette(this.probe);
    this.root.classList.toggle("dark", this.colours.dark);
    this.draw();
  }

  /** News from Python; whether all of the music is there. */
  update({ header, rows }) {
    const shape = JSON.stringify(header.cards.map(({ id, title, seconds }) => [id, title, seconds]));
    this.root.classList.toggle("row", header.layout === "row");
    this.root.classList.remove("coming");
    this.list.setAttribute("aria-label", header.label);
    if (shape !== this.shape) this.build(header);
    this.shape = shape;
    let from = 0;
    let whole = true;
    this.cards.forEach((card, i) => {
      const { sent, notes: count, seconds: length, subtitle } = header.cards[i];
      const news = rows.subarray(from * ROW, (from += sent) * ROW);
      whole = card.arrived.add(header.piece, news, count) && whole;
      card.music = { rows: card.arrived.rows, count: card.arrived.rows.length / ROW, length, frontier: length, running: false };
      card.frame.querySelector(".subtitle").textContent = subtitle; // text is never markup
    });
    this.show(header.chosen);
    this.draw();
    return whole;
  }

  build(header) {
    this.transport.stop();
    this.playing = null;
    this.cards = header.cards.map((card) => {
      const frame = document.createElement("div");
      frame.className = "card";
      frame.innerHTML = `<div class="choice" role="radio"><canvas aria-hidden="true"></canvas>
        <span class="text"><span class="title"></span><span class="subtitle"></span></span></div>
        <button type="button" class="hear">${DOT}</button>`;
      const choice = frame.querySelector(".choice");
      choice.dataset.id = card.id;
      frame.querySelector(".title").textContent = card.title; // text is never markup
      const hear = frame.querySelector(".hear");
      hear.dataset.id = card.id;
      hear.hidden = !header.hear;
      const alike = header.cards.filter((each) => each.title === card.title).length > 1;
      hear.dataset.name = alike ? `${card.title}, ${card.subtitle}` : card.title;
      return {
        ...card, frame, choice, hear, canvas: frame.querySelector("canvas"), arrived: new Arrived(),
      };
    });
    this.list.style.setProperty("--cards", this.cards.length);
    this.list.replaceChildren(...this.cards.map((card) => card.frame));
  }

  show(chosen) {
    this.chosen = chosen;
    const known = this.cards.some((card) => card.id === chosen);
    this.cards.forEach((card, i) => {
      const on = card.id === chosen;
      card.choice.setAttribute("aria-checked", String(on));
      card.choice.tabIndex = on || (!known && i === 0) ? 0 : -1;
      card.frame.classList.toggle("on", on);
    });
  }

  choose(id, wait) {
    if (id === this.chosen) return;
    this.show(id);
    clearTimeout(this.pending);
    this.pending = setTimeout(() => this.send?.("pick", id), wait);
  }

  pressed(event) {
    const target = event.target.closest("[data-id]");
    if (!target) return;
    if (target.classList.contains("hear")) this.hear(target.dataset.id);
    else this.choose(target.dataset.id, 0);
  }

  typed(event) {
    const at = this.cards.findIndex((card) => card.choice === event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const count = this.cards.length;
    if (step) {
      const next = this.cards[(at + step + count) % count];
      next.choice.focus();
      this.choose(next.id, SETTLE);
    } else if (event.key === " " || event.key === "Enter") this.choose(this.cards[at].id, 0);
    else if (event.key === "p") this.hear(this.cards[at].id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  hear(id) {
    const same = this.playing === id && this.transport.active;
    this.transport.stop();
    if (same) return;
    const card = this.cards.find((each) => each.id === id);
    this.playing = id;
    this.transport.speed = 1;
    this.transport.setMusic(card.music, true);
    this.transport.play(0);
  }

  showPlaying() {
    for (const card of this.cards) {
      const on = card.id === this.playing && this.transport.active;
      card.hear.classList.toggle("on", on);
      card.hear.setAttribute("aria-label", `${on ? "Stop" : "Hear"} ${card.hear.dataset.name}`);
      card.hear.setAttribute("aria-pressed", String(on));
    }
    this.root.dataset.playing = this.transport.active ? this.playing : "";
    this.follow();
  }

  /** A playhead over the card that sounds; nothing is drawn while none does. */
  follow() {
    cancelAnimationFrame(this.frame);
    const card = this.cards.find((each) => each.id === this.playing);
    if (!card) return;
    this.drawCard(card);
    if (this.transport.active) this.frame = requestAnimationFrame(() => this.follow());
  }

  draw() {
    if (!this.colours) return;
    for (const card of this.cards) this.drawCard(card);
    for (const card of this.cards) {
      if (!card.hear.hasAttribute("aria-label")) this.showPlaying();
    }
  }

  drawCard(card) {
    const size = { width: card.canvas.clientWidth, height: card.canvas.clientHeight };
    if (!card.music || !size.width) return;
    const pen = fitted(card.canvas, size.width, size.height);
    const range = pitchRange(card.music) ?? [60, 72];
    const middle = (range[0] + range[1]) / 2;
    const reach = Math.max(12, (range[1] - range[0]) / 2 + 1); // two octaves at least
    const box = { left: 3, top: 3, width: size.width - 6, height: size.height - 6 };
    drawSmall(pen, card.music, this.colours, box, middle - reach, middle + reach);
    if (card.id !== this.playing || !this.transport.active) return;
    const x = box.left + (this.transport.heard / Math.max(0.001, card.music.length)) * box.width;
    pen.fillStyle = this.colours.ink(0.9);
    pen.fillRect(x - 0.75, 0, 1.5, size.height);
  }
}

const groups = new WeakMap();

function showCards({ parentElement, data, setTriggerValue }) {
  const { thing, cleanup } = kept(groups, parentElement, () =>
    new Cards(parentElement.querySelector(".cards")));
  showNews(thing, data, setTriggerValue);
  return cleanup;
}
