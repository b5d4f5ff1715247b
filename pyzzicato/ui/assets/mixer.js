// The instruments of a band, each with its colour and name, to be muted, heard alone, turned down.

const SPEAKER = `<svg viewBox="0 0 24 24" aria-hidden="true"><path class="solid" d="M5 9.5v5h3l4 3.5v-12l-4 3.5z"/>
<path class="waves" d="M15 9.5a3.5 3.5 0 0 1 0 5M17.3 7.2a7 7 0 0 1 0 9.6"/><path class="cross" d="M15.5 9.5l5 5M20.5 9.5l-5 5"/></svg>`;

class Mixer {
  constructor(root) {
    this.root = root;
    this.strips = [];
  }

  /** Shows the instruments with these names; none hides it. */
  show(names) {
    this.root.hidden = names.length === 0;
    if (String(names) === String(this.strips.map((strip) => strip.name))) return;
    this.strips = names.map((name) => this.strip(name));
    this.root.replaceChildren(...this.strips.map((strip) => strip.frame));
    this.refresh();
  }

  strip(name) {
    const number = BAND_NAMES.indexOf(name);
    const channel = sound.mix.channels[number];
    const frame = document.createElement("div");
    frame.className = "strip";
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", name);
    frame.innerHTML = `<i></i><span class="name">${name}</span>
      <button type="button" class="mute" aria-label="Mute ${name}" title="Mute ${name}">${SPEAKER}</button>
      <button type="button" class="solo" aria-label="Solo ${name}" title="Only ${name}">Solo</button>
      <input type="range" min="0" max="1" step="0.01" aria-label="Volume of ${name}">`;
    const find = (selector) => frame.querySelector(selector);
    const strip = { name, number, frame, mute: find(".mute"), solo: find(".solo"), volume: find("input") };
    strip.mute.addEventListener("click", () => sound.setChannel(number, { muted: !channel.muted }));
    strip.solo.addEventListener("click", () => sound.setChannel(number, { solo: !channel.solo }));
    strip.volume.addEventListener("input", () =>
      sound.setChannel(number, { volume: Number(strip.volume.value) }));
    return strip;
  }

  /** Follows what is to be heard, whoever changed it. */
  refresh(colours = this.colours) {
    this.colours = colours;
    for (const { number, frame, mute, solo, volume } of this.strips) {
      const channel = sound.mix.channels[number];
      frame.classList.toggle("silent", sound.mix.level(number) === 0);
      mute.setAttribute("aria-pressed", channel.muted);
      solo.setAttribute("aria-pressed", channel.solo);
      volume.value = channel.volume;
      volume.style.setProperty("--full", `${channel.volume * 100}%`);
      if (colours) frame.style.setProperty("--part", colours.parts[BAND + number]);
    }
  }
}
