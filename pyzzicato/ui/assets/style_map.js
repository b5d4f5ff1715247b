// The map of styles: dots for pieces, named spots for styles; a click chooses the nearest spot.

function shape(name, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

function spot(each, chosen, svg) {
  const kind = `spot${each.always ? "" : " sometimes"}${each.name === chosen ? " chosen" : ""}`;
  const group = shape("g", { class: kind }, svg);
  const [x1, y1, x2, y2] = each.line;
  if (each.line.length) shape("line", { x1, y1, x2, y2 }, group);
  shape("circle", { cx: each.x, cy: each.y, r: 4.5 }, group);
  const [x, y, anchor] = each.label;
  shape("text", { x, y, "text-anchor": anchor }, group).textContent = each.name; // never markup
  return group;
}

function mark(each, svg) {
  const group = shape("g", { class: "mark" }, svg);
  const { x, y } = each;
  shape("path", { d: `M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z` }, group);
  shape("title", {}, group).textContent = each.name;
}

export default function ({ parentElement, data: bytes, setTriggerValue }) {
  const data = JSON.parse(new TextDecoder().decode(bytes));
  const svg = parentElement.querySelector("svg");
  svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  const said = data.chosen === "none" ? "" : `, ${data.chosen} is chosen`;
  svg.setAttribute("aria-label", `Map of styles${said}; the list Style chooses the same`);
  svg.replaceChildren();
  shape("path", { class: "dots", d: data.dots }, svg);
  const groups = data.spots.map((each) => spot(each, data.chosen, svg));
  for (const each of data.marks) mark(each, svg);

  const nearest = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const far = data.spots.map((each) => (each.x - at.x) ** 2 + (each.y - at.y) ** 2);
    return far.indexOf(Math.min(...far));
  };
  const point = (place) => {
    svg.dataset.near = place < 0 ? "" : data.spots[place].name; // kept when the map is drawn again
    svg.classList.toggle("pointed", place >= 0);
    groups.forEach((group, i) => group.classList.toggle("near", i === place));
    if (place >= 0 && svg.lastChild !== groups[place]) svg.append(groups[place]); // in front
  };
  point(data.spots.findIndex((each) => each.name === svg.dataset.near));
  svg.onpointermove = (event) => point(nearest(event));
  svg.onpointerleave = () => point(-1);
  svg.onclick = (event) => setTriggerValue("pick", data.spots[nearest(event)].name);
}
