"use strict";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];
// What limits a value, and how a reader writes it.
const LIMITS = {
  minimum: "≥ ", exclusiveMinimum: "> ", maximum: "≤ ", exclusiveMaximum: "< ",
  multipleOf: "multiple of ", minLength: "length ≥ ", maxLength: "length ≤ ",
  minItems: "items ≥ ", maxItems: "items ≤ ", pattern: "matches ",
};

let api;

// Make an element. Texts are never read as HTML.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat());
  return element;
}

// Follow a reference within the document.
function resolve(item) {
  if (!item || !item.$ref) return item || {};
  const steps = item.$ref.replace(/^#\//, "").split("/");
  return steps.reduce((node, step) => node[step.replace(/~1/g, "/").replace(/~0/g, "~")], api);
}

function linkTo(id, ...children) {
  return make("a", { href: "#" + encodeURIComponent(id) }, ...children);
}

function paragraph(text) {
  return text ? [make("p", { class: "text" }, text)] : [];
}

// A schema as a short type: text and links, to be put into <code> or <pre>.
function typeOf(schema, indent = "") {
  if (schema === true || !schema || !Object.keys(schema).length) return ["any"];
  return [...shapeOf(schema, indent), ...remarks(schema)];
}

function shapeOf(schema, indent) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return [linkTo("schema:" + name, name)];
  }
  if (schema.enum) return [schema.enum.map((each) => JSON.stringify(each)).join(" | ")];
  if ("const" in schema) return [JSON.stringify(schema.const)];
  for (const [key, sign] of [["anyOf", " | "], ["oneOf", " | "], ["allOf", " & "]]) {
    if (schema[key]) {
      return schema[key].flatMap((each, i) => [i ? sign : "", ...typeOf(each, indent)]);
    }
  }
  if (Array.isArray(schema.type)) return [schema.type.join(" | ")];
  if (schema.type === "array") return arrayOf(schema, indent);
  if (schema.properties) return objectOf(schema, indent);
  if (schema.type === "object") {
    const values = schema.additionalProperties;
    return values ? ["{ [name]: ", ...typeOf(values, indent), " }"] : ["object"];
  }
  if (schema.contentMediaType) return ["file"];
  return [schema.format || schema.type || schema.title || "any"];
}

function arrayOf(schema, indent) {
  if (!schema.prefixItems) return ["array of ", ...typeOf(schema.items, indent)];
  const items = schema.prefixItems.flatMap((each, i) => [i ? ", " : "", ...typeOf(each, indent)]);
  return ["[", ...items, "]"];
}

function objectOf(schema, indent) {
  const required = new Set(schema.required || []);
  const inner = indent + "  ";
  const lines = Object.entries(schema.properties).flatMap(([name, property]) => [
    "\n" + inner + name + (required.has(name) ? ": " : "?: "),
    ...typeOf(property, inner),
  ]);
  return ["{", ...lines, "\n" + indent + "}"];
}

// What a value is held to, and its default.
function remarks(schema) {
  const found = Object.entries(LIMITS)
    .filter(([key]) => key in schema)
    .map(([key, words]) => words + schema[key]);
  if ("default" in schema) found.push("default " + JSON.stringify(schema.default));
  return found.length ? [make("span", { class: "soft" }, "  (" + found.join(", ") + ")")] : [];
}

function contentOf(content) {
  return Object.entries(content || {}).flatMap(([mediaType, { schema }]) => {
    const type = make("code", {}, typeOf(schema));
    if (!type.textContent.includes("\n")) {
      return [make("p", { class: "content" }, type, make("span", { class: "soft" }, mediaType))];
    }
    return [make("p", { class: "content soft" }, mediaType), block(mediaType, type)];
  });
}

// Code that may be wider than its place; with the keyboard it is scrolled when it has the focus.
function block(label, code) {
  return make("pre", { tabindex: "0", role: "region", "aria-label": label }, code);
}

function table(caption, headings, rows) {
  return make("div", { class: "scroll" }, make("table", { "aria-label": caption },
    make("thead", {}, make("tr", {}, headings.map((each) => make("th", { scope: "col" }, each)))),
    make("tbody", {}, rows)));
}

function parametersOf(parameters) {
  if (!parameters.length) return [];
  const rows = parameters.map((each) => make("tr", {},
    make("th", { scope: "row" }, make("code", {}, each.name)),
    make("td", {}, each.in),
    make("td", {}, make("code", {}, typeOf(each.schema)), paragraph(each.description)),
    make("td", {}, each.required ? "required" : "")));
  return [make("h4", {}, "Parameters"), table("Parameters", ["Name", "In", "Type", ""], rows)];
}

// What a client has to send to be let in: the names of security schemes.
function securityOf(operation) {
  const needed = operation.security || api.security || [];
  const names = needed.map((each) => Object.keys(each).join(" and ")).filter(Boolean);
  return names.length ? [make("p", { class: "soft" }, "Needs " + names.join(", or ") + ".")] : [];
}

function bodyOf(body) {
  if (!body) return [];
  const { content, required, description } = resolve(body);
  return [make("h4", {}, required ? "Body" : "Body (optional)"), paragraph(description),
    contentOf(content)].flat();
}

function responsesOf(responses) {
  const rows = Object.entries(responses).map(([status, response]) => {
    const { description, content } = resolve(response);
    return make("tr", {}, make("th", { scope: "row" }, make("code", {}, status)),
      make("td", {}, description || "", contentOf(content)));
  });
  return [make("h4", {}, "Responses"), table("Responses", ["Status", "What it says"], rows)];
}

function operationOf(path, method, operation, shared) {
  const parameters = [...(shared || []), ...(operation.parameters || [])].map(resolve);
  const head = make("summary", {}, make("span", { class: "method " + method }, method.toUpperCase()),
    " ", make("span", { class: "path" }, path), " ", operation.summary || "");
  const details = make("details", { id: method + ":" + path }, head,
    make("div", {}, operation.deprecated ? make("p", {}, "Deprecated.") : "",
      paragraph(operation.description), securityOf(operation), parametersOf(parameters),
      bodyOf(operation.requestBody), responsesOf(operation.responses || {}),
      trialOf(path, method, parameters, operation.requestBody)));
  details.dataset.words = [method, path, operation.operationId, operation.summary]
    .join(" ").toLowerCase();
  return details;
}

// The operations under the first of their tags, in the order of the document.
function sections() {
  const groups = new Map((api.tags || []).map((tag) => [tag.name, { ...tag, operations: [] }]));
  for (const [path, item] of Object.entries(api.paths || {})) {
    for (const method of METHODS.filter((each) => item[each])) {
      const name = (item[method].tags || ["Operations"])[0];
      if (!groups.has(name)) groups.set(name, { name, operations: [] });
      const built = operationOf(path, method, item[method], item.parameters);
      groups.get(name).operations.push({ path, method, details: built });
    }
  }
  return [...groups.values()].filter((each) => each.operations.length);
}

function schemaSection() {
  const schemas = Object.entries((api.components || {}).schemas || {});
  if (!schemas.length) return [];
  const found = schemas.map(([name, schema]) => make("details", { id: "schema:" + name },
    make("summary", {}, make("span", { class: "path" }, name)),
    make("div", {}, paragraph(schema.description),
      block(name, make("code", {}, typeOf(schema))))));
  return [make("section", {}, make("h2", {}, "Schemas"), found)];
}

function contentsOf(group) {
  const items = group.operations.map(({ path, method, details }) => {
    const badge = make("span", { class: "method " + method }, method.toUpperCase());
    const link = linkTo(details.id, badge, " ", path);
    const item = make("li", {}, link);
    item.dataset.words = details.dataset.words;
    return item;
  });
  return make("div", {}, make("h2", {}, group.name), make("ul", {}, items));
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(target instanceof HTMLDetailsElement)) return;
  target.open = true;
  target.scrollIntoView();
}

// Hide what the filter does not name, and headings above nothing.
function filter() {
  const words = document.getElementById("filter").value.toLowerCase().split(/\s+/);
  for (const each of document.querySelectorAll("[data-words]")) {
    each.hidden = !words.every((word) => each.dataset.words.includes(word));
  }
  for (const group of document.querySelectorAll("#contents > div, main > section[data-tag]")) {
    group.hidden = !group.querySelector("[data-words]:not([hidden])");
  }
  const shown = document.querySelectorAll("details[data-words]:not([hidden])").length;
  document.getElementById("count").textContent =
    shown === 1 ? "1 operation" : shown + " operations";
}

function show() {
  const main = document.getElementById("operations");
  const groups = sections();
  document.getElementById("version").textContent = "Version " + api.info.version;
  document.getElementById("description").append(...paragraph(api.info.description));
  main.replaceChildren(
    ...groups.map((group) => make("section", { "data-tag": group.name },
      make("h2", {}, group.name), paragraph(group.description),
      group.operations.map((each) => each.details))),
    ...schemaSection());
  document.getElementById("contents").append(...groups.map(contentsOf));
  document.getElementById("filter").addEventListener("input", filter);
  window.addEventListener("hashchange", openTarget);
  filter();
  openTarget();
}

fetch(document.body.dataset.document, { headers: { Accept: "application/json" } })
  .then((response) => {
    if (!response.ok) throw new Error("it answered " + response.status);
    return response.json();
  })
  .then((found) => { api = found; show(); })
  .catch((error) => {
    document.getElementById("operations").replaceChildren(
      make("p", { role: "alert" }, "The document could not be shown: " + error.message + "."));
  });
