// The fields of one operation, made from its part of the OpenAPI document.
import { element } from "./dom.js";

/**
 * { node, read, check }. `read` gives { accept, parts, missing } for a form, { accept, json } for a JSON body,
 * { accept } for none; parts are { name, value, file }, missing the names of files that are yet to be chosen. `check` says whether it can be sent, and tells the reader if not.
 */
export function fields(api, operation, kinds, known) {
  const id = `try-${operation.operationId}`;
  const content = operation.requestBody?.content ?? {};
  const accept = chosen(`${id}-accept`, kinds);
  const form = content["multipart/form-data"];
  const body = content["application/json"];
  const controls = form ? Object.entries(form.schema.properties).map(([name, schema]) =>
    control(id, name, schema, form.schema.required?.includes(name), form.encoding?.[name]?.contentType)) : [];
  const json = body && text(`${id}-body`, api, body, known);

  function read() {
    const base = kinds.length ? { accept: accept.value() } : {};
    if (form) return { ...base, parts: controls.flatMap((each) => each.parts()), missing: controls.filter((each) => each.lacks()).map((each) => each.name) };
    return json ? { ...base, json: json.value() } : base;
  }
  return {
    node: element("div", { class: "asked" }, controls.map((each) => each.node), json?.node, kinds.length > 1 && accept.node),
    read,
    check: () => controls.every((each) => each.check()),
  };
}

function control(id, name, described, required, accept) {
  const schema = { ...described.anyOf?.[0], ...described }; // the first way to write it has the control; the others are listed above the form
  const own = `${id}-${name}`;
  const about = { id: own, name, "aria-describedby": own.replace("try-", "about-") }; // told in the list above the form
  const file = schema.format === "binary";
  const input = file ? element("input", { ...about, type: "file", accept: accept?.replaceAll(" ", ""), "aria-required": required && "true" })
    : schema.type === "boolean" ? element("input", { ...about, type: "checkbox", checked: schema.default === true })
    : schema.enum ? element("select", about, element("option", { value: "" }, "not sent"), schema.enum.map((each) => element("option", {}, each)))
    : schema.type === "integer" || schema.type === "number"
      ? element("input", { ...about, type: "number", inputmode: "decimal", min: schema.minimum, max: schema.maximum, step: schema.type === "integer" ? 1 : "any", value: schema.default })
      : element("input", { ...about, type: "text", value: schema.default });

  function parts() {
    if (file) return [...input.files].map((each) => ({ name, file: each }));
    const value = schema.type === "boolean" ? String(input.checked) : input.value;
    return value === "" || value === String(schema.default) ? [] : [{ name, value }];
  }
  const label = element("label", { for: own }, name, required && element("span", { class: "needed" }, " required"), range(schema));
  const line = schema.type === "boolean" ? [input, label] : [label, input];
  return {
    node: element("p", { class: schema.type === "boolean" ? "field tick" : "field" }, line),
    name,
    parts,
    lacks: () => required && file && !input.files.length,
    // Only what can't be read as a number at all: what the detector refuses, it is to say itself.
    check: () => !input.validity.badInput || input.reportValidity(),
  };
}

function range({ minimum, maximum }) {
  return minimum !== undefined && maximum !== undefined && element("span", { class: "needed" }, ` ${minimum} to ${maximum}`);
}

function chosen(id, kinds) {
  const input = element("select", { id }, kinds.map((kind) => element("option", {}, kind)));
  return {
    node: element("p", { class: "field" }, element("label", { for: id }, "Answer as ", element("span", { class: "needed" }, "Accept")), input),
    value: () => input.value,
  };
}

function text(id, api, body, known) {
  const input = element("textarea", { id, rows: 12, spellcheck: "false", autocomplete: "off" });
  input.value = JSON.stringify(body.example ?? sample(body.schema, api), null, 2);
  const told = element("span", { class: "small", role: "status" });
  const properties = Object.entries(resolved(body.schema, api).properties ?? {});
  const fillIn = ([name, { $ref }]) => {
    if (!known.has($ref)) {
      told.textContent = "There is none yet: analyse a file above, with the answer as application/json.";
      return;
    }
    input.value = JSON.stringify({ ...parsed(input.value), [name]: known.get($ref) }, null, 2);
    told.textContent = `Put into ${name}.`;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const takes = properties.filter(([, schema]) => schema.$ref);
  return {
    node: element("div", { class: "written" },
      element("p", { class: "field" }, element("label", { for: id }, "Body, as JSON"), input),
      takes.length > 0 && element("p", {}, takes.map((each) =>
        [element("button", { type: "button", class: "quiet", click: () => fillIn(each) }, `Take ${each[0]} from the last answer`), " "]).flat(), told)),
    value: () => input.value,
  };
}

const parsed = (json) => { try { return JSON.parse(json); } catch { return {}; } };
const resolved = (schema, api) => (schema.$ref ? api.components.schemas[schema.$ref.split("/").at(-1)] : schema);

/** A value that a schema allows, as a beginning. */
function sample(schema, api) {
  const own = resolved(schema, api);
  const first = own.anyOf?.find((each) => each.type === "null") ?? own.anyOf?.[0] ?? own.oneOf?.[0];
  if (first) return sample(first, api);
  if ("default" in own || "const" in own) return own.default ?? own.const;
  if (own.enum) return own.enum[0];
  if (own.prefixItems) return own.prefixItems.map((each) => sample(each, api));
  if (own.properties) return Object.fromEntries(Object.entries(own.properties).filter(([name]) => own.required?.includes(name)).map(([name, each]) => [name, sample(each, api)]));
  return { string: "string", integer: 0, number: 0, boolean: false, array: [], object: {} }[own.type] ?? null;
}
