"use strict";
// The search for a product, what the pointer reads from the heat map, and pictures as PNG.
// Everything is in the page already: nothing is fetched.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("index"), pairs = read("pairs");
  const MOST = 12, OFFERED = 5;  // what is found; before that, the largest products
  const query = document.getElementById("query");
  const matches = document.getElementById("matches");
  const shown = document.getElementById("product");

  function number(x, digits = 15) {
    const plain = x === 0 || (Math.abs(x) >= 1e-6 && Math.abs(x) < 1e15);
    const text = plain
      ? x.toLocaleString("en", { maximumSignificantDigits: digits })
      : x.toExponential(Math.min(digits, 6) - 1);
    return text.replaceAll("-", "−");
  }

  function made(tag, text, kind) {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  }

  // ---- the search -------------------------------------------------------------------------------

  const names = data.names.map((name) => name.toLowerCase());
  const ids = data.ids.map((id) => id.toLowerCase());

  // What is called exactly so comes first, then what begins so, then what has it somewhere; among
  // equals the largest product.
  function found(text) {
    const sorted = [[], [], []];
    for (let k = 0; k < names.length; k++) {
      const at = names[k].indexOf(text);
      if (at < 0) continue;
      const rank = names[k] === text || ids[k] === text ? 0 : at === 0 ? 1 : 2;
      sorted[rank].push(k);
      if (sorted[1].length >= MOST && sorted[0].length) break;
    }
    return sorted.flat().slice(0, MOST);
  }

  function choice(k, kind) {
    const button = made("button", data.names[k], kind);
    button.type = "button";
    button.addEventListener("click", () => show(k));
    return button;
  }

  function list() {
    const text = query.value.trim().toLowerCase();
    const some = text ? found(text) : [...data.names.keys()].slice(0, OFFERED);
    const items = some.map((k) => {
      const item = made("li");
      item.append(choice(k));
      return item;
    });
    matches.replaceChildren(...(text ? [] : [made("li", "The largest:", "soft")]), ...items);
    if (text && !some.length) matches.append(made("li", "No product in this page is called so."));
    return some;
  }

  query.addEventListener("input", list);
  list();
  query.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [first] = list();
    if (first !== undefined) show(first);
  });
  document.getElementById("search").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [query, ...matches.querySelectorAll("button")];
    const at = stops.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  });

  function show(k) {
    const unit = data.unit || data.units[k], priced = data.kind === "values";
    const output = data.output[k], half = data.half[k], demand = data.demand[k];
    const rows = [
      [priced ? "value" : "output", `${number(output)} ${unit}`],
      ["proven", data.zero.includes(k) ? "exactly 0: no demand reaches it"
        : `± ${number(half)}, ${data.figures[k]} significant figures`],
      [priced ? "used in making it" : "final demand", `${number(demand)} ${unit}`],
      [priced ? "through its inputs" : "used by products", `${number(output - demand, 6)} ${unit}`],
      ...data.used.map(([name, unit, amounts]) =>
        [`${name} used in making it`, `${number(amounts[k])} ${unit}`]),
      ["rounds to final use", number(data.rounds[k], 3)],
    ];
    const terms = made("dl");
    for (const [name, text] of rows) terms.append(made("dt", name), made("dd", text));
    shown.replaceChildren(made("h3", data.names[k]), terms);
    if (data.links[k]) {
      const [inputs, uses] = data.links[k], sides = made("div", undefined, "sides");
      sides.append(side("Main inputs", inputs, k), side("Main users", uses, k));
      shown.append(sides);
    }
  }

  function side(title, links, k) {
    const part = made("div"), rows = made("ol");
    for (const [other, value] of links) {
      const row = made("li"), known = other < data.names.length;
      const share = data.worth[k] ? ` (${number((100 * value) / data.worth[k], 2)} %)` : "";
      row.append(
        known ? choice(other, "link") : made("span", data.further[other - data.names.length]),
        made("span", ` ${number(value, 4)}${share}`, "amount"),
      );
      rows.append(row);
    }
    part.append(made("h4", `${title}, ${data.money} (share of its output)`));
    part.append(links.length ? rows : made("p", "none"));
    return part;
  }

  // ---- the heat map -----------------------------------------------------------------------------

  // Tells of a square, and frames it; nothing for what is no square.
  function tell(svg, row, column) {
    const flow = pairs.flows[row]?.[column];
    if (flow === undefined) return;
    document.getElementById("flow").textContent =
      `${pairs.names[row]} → ${pairs.names[column]}: ${number(flow)} ${pairs.money}`;
    const { cell, left, top } = svg.dataset;
    const cursor = svg.querySelector(".cursor");
    const size = Number(cell);
    const place = { x: Number(left) + column * size, y: Number(top) + row * size };
    for (const [name, at] of Object.entries({ ...place, width: size, height: size })) {
      cursor.setAttribute(name, at);
    }
    svg.dataset.row = row;
    svg.dataset.column = column;
  }

  function point(event) {
    const svg = event.currentTarget, box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width, cell = Number(svg.dataset.cell);
    const place = (at, from) => Math.floor((at * scale - Number(from)) / cell);
    tell(svg, place(event.clientY - box.top, svg.dataset.top),
      place(event.clientX - box.left, svg.dataset.left));
  }

  const STEPS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
  function walk(event) {
    const svg = event.currentTarget, step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const started = svg.dataset.row !== undefined;
    const [row, column] = started ? [Number(svg.dataset.row), Number(svg.dataset.column)] : [0, 0];
    tell(svg, row + (started ? step[0] : 0), column + (started ? step[1] : 0));
  }

  for (const svg of document.querySelectorAll("svg.flows")) {
    svg.tabIndex = 0;
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    cursor.setAttribute("class", "cursor");
    svg.append(cursor);
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.addEventListener("keydown", walk);
  }

  // ---- pictures as PNG --------------------------------------------------------------------------

  const COLOURS = ["paper", "ink", "soft", "rule", "band", "hatch",
    ...[1, 2, 3, 4, 5, 6].map((k) => `s${k}`), ...[1, 2, 3, 4, 5, 6, 7].map((k) => `h${k}`)];
  const SHARPER = 2, HEAD = 34, LINE = 22, MARGIN = 16;

  // A drawing on its own, with the colours and the rules of this page written into it.
  function alone(svg, width, height) {
    const copy = svg.cloneNode(true);
    copy.querySelector(".cursor")?.remove();
    const style = getComputedStyle(document.documentElement);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    for (const name of COLOURS) copy.style.setProperty(`--${name}`, style.getPropertyValue(`--${name}`));
    copy.style.fontFamily = getComputedStyle(document.body).fontFamily;
    const rules = document.createElementNS("http://www.w3.org/2000/svg", "style");
    rules.textContent = document.querySelector("style").textContent;
    copy.prepend(rules);
    const text = new XMLSerializer().serializeToString(copy);
    return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  }

  // Title and legend stand in the page, not in the drawing; a picture needs them too.
  function lettered(pen, figure, width) {
    const page = getComputedStyle(document.body);
    pen.fillStyle = page.color;
    pen.font = `600 17px ${page.fontFamily}`;
    pen.fillText(figure.querySelector("h3").textContent, MARGIN, 24, width - 2 * MARGIN);
    pen.font = `13px ${page.fontFamily}`;
    let x = MARGIN, y = HEAD + 14;
    for (const entry of figure.querySelectorAll(".legend span")) {
      const long = pen.measureText(entry.textContent).width + 36;
      if (x > MARGIN && x + long > width) [x, y] = [MARGIN, y + LINE];
      const mark = getComputedStyle(entry.querySelector("i"));
      pen.fillStyle = mark.backgroundColor;
      pen.strokeStyle = mark.borderColor;
      if (mark.borderWidth !== "0px") pen.strokeRect(x + 0.5, y - 9.5, 10, 10);
      else pen.fillRect(x, y - 10, 11, 11);
      pen.fillStyle = page.color;
      pen.fillText(entry.textContent, x + 17, y);
      x += long;
    }
    return figure.querySelector(".legend") ? y + 12 : HEAD;
  }

  async function save(event) {
    const figure = event.currentTarget.closest("figure");
    const svg = figure.querySelector("svg");  // the wide one, with all names, on a phone too
    const { width, height } = svg.viewBox.baseVal, whole = width + 2 * MARGIN;
    const picture = new Image();
    picture.src = alone(svg, SHARPER * width, SHARPER * height);
    await picture.decode();
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    const top = lettered(pen, figure, whole);
    canvas.width = SHARPER * whole;
    canvas.height = SHARPER * (top + height + MARGIN);
    pen.scale(SHARPER, SHARPER);
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, whole, canvas.height);
    lettered(pen, figure, whole);
    pen.drawImage(picture, MARGIN, top, width, height);
    const link = document.createElement("a");
    link.download = `${figure.id}.png`;
    link.href = canvas.toDataURL("image/png");
    link.click();
  }
  for (const button of document.querySelectorAll("button.png")) {
    button.hidden = false;
    button.addEventListener("click", save);
  }
})();
