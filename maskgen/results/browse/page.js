"use strict";
// Every text of a row is set as textContent or as an attribute's value, never parsed as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const FILTERS = ["status", "template", "kind", "wear", "split", "label"];
const CHUNK = 120;
const cards = document.getElementById("cards");
const form = document.getElementById("filters");
const search = document.getElementById("search");
const detail = document.getElementById("detail");
const selects = {};
let chosen = [];
let drawn = 0;

function element(tag, text, properties) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  return Object.assign(node, properties);
}

function values(row, name) {
  return name in row ? [row[name]] : row.faces.map((face) => face[name]);
}

function addFilter(name) {
  const counts = new Map();
  for (const row of data.rows)
    for (const value of new Set(values(row, name)))
      if (value !== null && value !== undefined) counts.set(value, (counts.get(value) || 0) + 1);
  if (counts.size === 0) return;
  const select = element("select", "", { name: name });
  select.setAttribute("aria-label", name);
  select.append(element("option", "any " + name, { value: "" }));
  for (const value of [...counts.keys()].sort())
    select.append(element("option", value + " (" + counts.get(value) + ")", { value: "=" + value }));
  form.append(select);
  selects[name] = select;
}

function matches(row) {
  const text = search.value.toLowerCase();
  if (text && !row.id.toLowerCase().includes(text)) return false;
  return Object.entries(selects).every(
    ([name, select]) => !select.value || values(row, name).includes(select.value.slice(1))
  );
}

function image(url, alt) {
  return element("img", "", { loading: "lazy", decoding: "async", alt: alt, src: url });
}

function card(row) {
  const figure = element("figure", "", { tabIndex: 0 });
  figure.append(row.image ? image(row.image, row.id) : element("div", row.status, { className: "none" }));
  const caption = element("figcaption");
  caption.append(element("b", row.id.split("/").pop(), { title: row.id }));
  const faces = row.faces.map((face) => [face.template, face.wear].filter(Boolean).join(", "));
  const words = [row.status === "masked" ? "" : row.reason || row.status, ...faces, row.label, row.split];
  caption.append(element("span", words.filter(Boolean).join(" · ")));
  figure.append(caption);
  figure.addEventListener("click", () => open(row));
  figure.addEventListener("keydown", (event) => event.key === "Enter" && open(row));
  return figure;
}

function open(row) {
  const images = detail.querySelector(".images");
  images.replaceChildren(...[row.unmasked, row.image].filter(Boolean).map((url) => image(url, row.id)));
  const shown = Object.fromEntries(Object.entries(row).filter(([name]) => !["image", "unmasked"].includes(name)));
  detail.querySelector("pre").textContent = JSON.stringify(shown, null, 1);
  detail.showModal();
}

function draw() {
  if (drawn >= chosen.length) return;
  cards.append(...chosen.slice(drawn, drawn + CHUNK).map(card));
  drawn = Math.min(drawn + CHUNK, chosen.length);
}

function filter() {
  chosen = data.rows.filter(matches);
  drawn = 0;
  cards.replaceChildren();
  draw();
  const part = data.every > 1 ? ", 1 in " + data.every + " of the manifest's " + data.total : "";
  const heading = document.getElementById("heading");
  heading.textContent = data.name + " ";
  heading.append(element("small", chosen.length + " of " + data.rows.length + " rows" + part));
  const state = new URLSearchParams();
  for (const [name, select] of Object.entries(selects)) if (select.value) state.set(name, select.value.slice(1));
  if (search.value) state.set("search", search.value);
  history.replaceState(null, "", "#" + state);
  document.documentElement.dataset.chosen = chosen.length;
}

function restore() {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const [name, select] of Object.entries(selects))
    select.value = state.has(name) ? "=" + state.get(name) : "";
  search.value = state.get("search") || "";
}

FILTERS.forEach(addFilter);
restore();
filter();
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("hashchange", () => { restore(); filter(); });
const bottom = element("div");
cards.after(bottom);
new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && draw(), {
  rootMargin: "800px",
}).observe(bottom);
document.documentElement.dataset.milliseconds = Math.round(performance.now());
