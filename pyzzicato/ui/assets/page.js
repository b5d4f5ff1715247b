// What Streamlit's page lacks for those who have no mouse, do not see it or hold it in one hand.

const SCROLLERS = ".pz-scroll, [data-testid=stCode] pre"; // without a button or field in them
const ROWS = ".st-key-wings-foot, .st-key-next"; // of buttons that give way to one another
const NARROW = matchMedia("(max-width: 860px)"); // as in shell.css
const PATIENCE = 2500; // milliseconds without the server before a person is told
const GONE = "The app does not answer: it was stopped, or the way to it is cut. What is here can " +
  "still be played, and when the app runs again this page goes on.";

/** An element beside the page, which Streamlit does not draw anew. */
function beside(id, role) {
  const made = Object.assign(document.createElement("div"), { id });
  made.setAttribute("role", role);
  document.body.append(made);
  return made;
}

class Page {
  constructor() {
    this.live = beside("pz-said", "status");
    this.watch = new MutationObserver(() => this.tidy());
    this.watch.observe(document.body, { childList: true, subtree: true });
    this.app = document.querySelector(".stApp");
    this.connection = new MutationObserver(() => this.connected());
    this.connection.observe(this.app, { attributeFilter: ["data-test-connection-state"] });
    this.end = new AbortController();
    const on = (name, action, whom = document) =>
      whom.addEventListener(name, action, { capture: true, signal: this.end.signal });
    on("focusin", (event) => this.focused(event.target));
    on("focusout", (event) => this.left(event.target));
    on("toggle", () => this.reachScrollers()); // what folds open may need to scroll
    on("resize", () => this.reachScrollers(), window);
    on("pz-begins", (event) => this.present(event.target));
    this.tidy();
  }

  destroy() {
    this.watch.disconnect();
    this.connection.disconnect();
    this.end.abort();
    this.live.remove();
    this.told(false);
  }

  tidy() {
    this.nameBar();
    this.mendStreamlit();
    this.reachScrollers();
    this.passFocus();
    this.say();
    if (this.lost) this.closeDialog();
  }

  /** The bar is the navigation; the page that is open is marked in it. */
  nameBar() {
    const bar = document.querySelector(".st-key-bar");
    bar?.setAttribute("role", "navigation");
    bar?.setAttribute("aria-label", "Pages");
    for (const link of bar?.querySelectorAll("a") ?? []) {
      if (link.closest('[class*="-here"]')) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** The field for files is no mere ornament, and a picture is called as the page is. */
  mendStreamlit() {
    for (const field of document.querySelectorAll("[data-testid=stFileUploaderDropzone]")) {
      field.setAttribute("role", "group");
    }
    for (const picture of document.querySelectorAll("[data-testid=stImage] img:not([alt])")) {
      picture.alt = `Piano roll: ${document.querySelector("h1")?.textContent ?? ""}`;
    }
  }

  /** What scrolls can be reached by the keyboard, and is no stop where all of it is seen. */
  reachScrollers() {
    for (const box of document.querySelectorAll(SCROLLERS)) {
      const over = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      const found = over && { tabindex: 0, role: "group", "aria-label": "Scrolls by arrow keys" };
      for (const name of ["tabindex", "role", "aria-label"]) {
        if (found) box.setAttribute(name, found[name]);
        else box.removeAttribute(name);
      }
    }
  }

  focused(element) {
    const row = element.closest(ROWS);
    this.held = row && { element, row };
  }

  /** Forgets what the person has left by themselves, but not what was taken away. */
  left(element) {
    setTimeout(() => {
      if (this.held?.element === element && element.isConnected) this.held = null;
    });
  }

  /** The focus of a button that has gone, as Compose does for Stop, goes to what took its place. */
  passFocus() {
    const { held } = this;
    if (!held || held.element.isConnected || document.activeElement !== document.body) return;
    held.row.querySelector("button")?.focus({ preventScroll: true });
  }

  /** Reads out what the status line says is worth it, once. */
  say() {
    const said = document.querySelector("[data-said]")?.dataset.said ?? "";
    if (said !== this.live.textContent) this.live.textContent = said;
  }

  /** On a telephone a piece that begins comes into view, and the settings fold away. */
  present(player) {
    if (!NARROW.matches) return;
    document.querySelector(".pz-fold")?.removeAttribute("open");
    (document.querySelector(".st-key-wings-foot") ?? player).scrollIntoView({ block: "start" });
  }

  /** Whether the server is there: if not for a while, a sentence of ours stands for Streamlit's. */
  connected() {
    this.lost = this.app.dataset.testConnectionState !== "CONNECTED";
    clearTimeout(this.pending);
    if (this.lost) this.pending = setTimeout(() => this.told(true), PATIENCE);
    else this.told(false);
  }

  closeDialog() {
    document.querySelector('[data-testid=stDialog] button[aria-label="Close"]')?.click();
  }

  told(gone) {
    clearTimeout(this.pending);
    document.getElementById("pz-gone")?.remove();
    if (gone) beside("pz-gone", "alert").textContent = GONE;
  }
}

const pages = new WeakMap();

export default function ({ parentElement }) {
  return kept(pages, parentElement, () => new Page()).cleanup;
}
