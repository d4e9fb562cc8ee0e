"use strict";

// Try an operation: a form of what the operation takes, which sends a request to this application.
// Browsers send their own cookies, and let no page write them.

function trialOf(path, method, parameters, body) {
  const content = Object.entries((body && resolve(body).content) || {});
  const fields = parameters.filter((each) => each.in !== "cookie").map(parameterField);
  const own = content.length ? bodyFields(...content[0]) : [];
  const answer = make("div", { role: "status" });
  const form = make("form", {}, [...fields, ...own].map((each) => each.label),
    make("button", {}, "Send"), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { url, options } = requestOf(path, method, fields, own, content);
    send(url, options, answer);
  });
  return make("details", { class: "trial" }, make("summary", {}, "Try it"), form);
}

function field(name, kind, note, attributes = {}) {
  const input = make(kind, { autocomplete: "off", ...attributes });
  const label = make("label", {}, make("code", {}, name), " ", make("span", { class: "soft" }, note), input);
  return { name, input, label };
}

function parameterField(parameter) {
  const required = parameter.required ? { required: "" } : {};
  const found = field(parameter.name, "input", isList(parameter.schema) ? parameter.in + ", one, two" : parameter.in, required);
  return { ...found, in: parameter.in, isList: isList(parameter.schema) };
}

function bodyFields(mediaType, { schema }) {
  if (!mediaType.startsWith("multipart/") && !mediaType.includes("urlencoded")) {
    const found = field("body", "textarea", mediaType, { rows: "6", spellcheck: "false" });
    if (mediaType.includes("json")) found.input.value = JSON.stringify(exampleOf(schema), null, 2);
    return [{ ...found, in: "body" }];
  }
  return Object.entries(propertiesOf(schema)).map(([name, property]) => {
    const kind = isFile(property) ? { type: "file", multiple: "" } : {};
    const found = field(name, "input", "form", kind);
    return { ...found, in: "form", isList: isList(property) };
  });
}

function requestOf(path, method, fields, own, content) {
  const query = new URLSearchParams();
  const headers = new Headers();
  let url = path;
  for (const each of fields.filter(({ input }) => input.value)) {
    const value = each.input.value;
    if (each.in === "path") url = url.replace("{" + each.name + "}", encodeURIComponent(value));
    if (each.in === "header") headers.set(each.name, value);
    if (each.in === "query") valuesOf(each).forEach((one) => query.append(each.name, one));
  }
  const options = { method: method.toUpperCase(), headers };
  const [single] = own.filter((each) => each.in === "body");
  if (single) {
    headers.set("Content-Type", content[0][0]);
    options.body = single.input.value;
  } else if (own.length) {
    // The browser writes the type of a form, also the boundary of its parts.
    const isPlain = content.some(([mediaType]) => mediaType.includes("urlencoded"));
    options.body = isPlain ? new URLSearchParams() : new FormData();
    for (const each of own) valuesOf(each).forEach((one) => options.body.append(each.name, one));
  }
  const search = query.toString();
  return { url: document.body.dataset.root + url + (search && "?" + search), options };
}

function valuesOf({ input, isList }) {
  if (input.type === "file") return [...input.files];
  if (!input.value) return [];
  return isList ? input.value.split(",").map((each) => each.trim()) : [input.value];
}

async function send(url, options, answer) {
  answer.replaceChildren("Sending …");
  try {
    const response = await fetch(url, options);
    const text = await response.text();
    const isJSON = (response.headers.get("Content-Type") || "").includes("json");
    const headers = [...response.headers].map(([name, value]) => name + ": " + value).join("\n");
    answer.replaceChildren(make("p", {}, make("code", {}, options.method + " " + url)),
      block("Answer", make("code", {}, [
        (response.status + " " + response.statusText).trim(), "\n" + headers, "\n\n",
        isJSON && text ? JSON.stringify(JSON.parse(text), null, 2) : text])));
  } catch (error) {
    answer.replaceChildren(make("p", { role: "alert" }, "The request failed: " + error.message + "."));
  }
}

// A value of a schema to start from; a class inside itself ends after two levels.
function exampleOf(schema, depth = 0) {
  const found = resolve(schema);
  if ("default" in found) return found.default;
  if ("const" in found) return found.const;
  if (found.enum) return found.enum[0];
  const [first] = found.anyOf || found.oneOf || [];
  if (first) return exampleOf(first, depth);
  if (found.properties || found.allOf) {
    const names = Object.entries(depth > 2 ? {} : propertiesOf(found));
    return Object.fromEntries(names.map(([name, each]) => [name, exampleOf(each, depth + 1)]));
  }
  const empty = { string: "", integer: found.minimum || 0, number: found.minimum || 0, boolean: false, array: [], object: {} };
  return found.type in empty ? empty[found.type] : null;
}

function propertiesOf(schema) {
  const found = resolve(schema);
  return Object.assign({}, ...(found.allOf || []).map(propertiesOf), found.properties || {});
}

function isList(schema) {
  const found = resolve(schema);
  return found.type === "array" || (found.anyOf || []).some(isList);
}

function isFile(schema) {
  const found = resolve(schema);
  return Boolean(found.contentMediaType) || (isList(found) && isFile(found.items)) || (found.anyOf || []).some(isFile);
}
