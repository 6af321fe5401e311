// A form made from a JSON Schema. What the schema does not tell how to show is shown as JSON, so
// nothing is ever hidden or lost; what the schema does not name is kept and shown as such.

import { blank, isObject, kindOf, pointerOf, resolve } from "./schema.js";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const nameOf = (part) => {
  const words = String(part).replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export class SchemaForm {
  /** `onEdit(data)` is called after each change that a person makes here. */
  constructor(container, { schema, original, onEdit }) {
    Object.assign(this, { container, root: schema, original, onEdit });
    this.fields = new Map(); // empty until something can be shown
  }

  /** Show data, from scratch. */
  show(data) {
    this.data = data;
    this.fields = new Map();
    this.count = 0;
    this.container.replaceChildren(...this.members(this.root, data, [], 0));
    this.markChanges();
  }

  /** Put each error at its field, or at the nearest one around it; gives those without a field. */
  showErrors(errors) {
    for (const { wrapper, control, said } of this.fields.values()) {
      said.textContent = "";
      wrapper.classList.remove("wrong");
      control.removeAttribute("aria-invalid");
    }
    return errors.filter(({ pointer, detail }) => {
      let place = pointer;
      while (place.length > "#/data".length && !this.fields.has(place)) {
        place = place.slice(0, place.lastIndexOf("/"));
      }
      const field = this.fields.get(place);
      if (!field) return true;
      field.said.textContent = [field.said.textContent, detail].filter(Boolean).join("; ");
      field.wrapper.classList.add("wrong");
      field.control.setAttribute("aria-invalid", "true");
      return false;
    });
  }

  // --- what is shown ---------------------------------------------------------------------------

  /** The fields of an object: those of the schema in its order, then what else is there. */
  members(schema, value, path, depth) {
    const named = Object.keys(schema.properties || {});
    const others = Object.keys(value || {}).filter((name) => !named.includes(name));
    const required = new Set(schema.required || []);
    const shown = named.map((name) =>
      this.field(schema.properties[name], [...path, name], depth, { required: required.has(name) }));
    return [
      ...shown,
      ...others.map((name) =>
        this.field({ description: "not in the schema: kept as it is" }, [...path, name], depth, {})),
    ];
  }

  field(given, path, depth, { required = false, label } = {}) {
    const { schema, nullable } = resolve(given, this.root);
    const value = this.at(path);
    const kind = kindOf(schema, value, depth);
    const about = { schema, nullable, required, path, value, depth,
      label: label || nameOf(path[path.length - 1]) };
    if (kind === "object") return this.group(about, isObject(value), () =>
      this.members(schema, value, path, depth + 1));
    if (kind === "array") return this.group(about, Array.isArray(value), () => this.items(about));
    return this.single(about, kind);
  }

  group(about, isThere, inside) {
    const { path, label, required, nullable, schema } = about;
    const set = make("fieldset", {}, make("legend", {}, label));
    if (schema.description) set.append(make("p", { class: "quiet" }, schema.description));
    const said = this.remember(set, set, path);
    const mayGo = isThere && (!required || nullable);
    if (isThere) set.append(...inside());
    else set.append(this.button(`Add ${label.toLowerCase()}`, () => this.put(path, this.start(schema))));
    if (mayGo) set.append(this.button(`Remove ${label.toLowerCase()}`, () => this.clear(about)));
    set.append(said);
    return set;
  }

  items({ schema, path, value, depth, label }) {
    const one = `${label.replace(/s$/, "")}`;
    const shown = value.map((_, index) => {
      const place = [...path, index];
      const item = this.field(schema.items, place, depth + 1,
        { required: true, label: `${one} ${index + 1}` });
      const remove = this.button(`Remove ${one.toLowerCase()} ${index + 1}`, () =>
        this.put(path, this.at(path).filter((__, other) => other !== index)));
      return make("div", { class: "item" }, item, remove);
    });
    const add = this.button(`Add ${one.toLowerCase()}`, () =>
      this.put(path, [...this.at(path), this.start(schema.items)]));
    return [...shown, add];
  }

  single(about, kind) {
    const { path, label, required, schema, value } = about;
    const id = `field-${(this.count += 1)}`;
    const control = this.control(about, kind, id);
    const wrapper = make("div", { class: "field" },
      make("label", { for: id }, label, ...(required ? [] : [make("span", { class: "quiet" }, " optional")])),
      control);
    const hints = [schema.description, kind === "json" && "as JSON", value === null && "is null now",
      schema.format === "date-time" && "such as 2027-06-01T14:00:00Z",
      kind === "text" && schema.format === "date" && "a date such as 2027-06-01"].filter(Boolean);
    wrapper.append(make("p", { class: "hint quiet", id: `${id}-hint` }, hints.join(" · ")));
    wrapper.append(make("p", { class: "was", id: `${id}-was` }));
    wrapper.append(this.remember(wrapper, control, path, id));
    return wrapper;
  }

  control(about, kind, id) {
    const { schema, value, path } = about;
    const there = value !== undefined && value !== null;
    if (kind === "choice") {
      const values = schema.enum || [schema.const];
      return this.select(about, id, values.map((v) => [v, String(v)]));
    }
    if (kind === "boolean") return this.select(about, id, [[true, "yes"], [false, "no"]]);
    if (kind === "json") {
      const text = value === undefined ? "" : JSON.stringify(value, null, 2);
      const area = make("textarea", { id, rows: Math.min(8, text.split("\n").length), spellcheck: "false" });
      area.value = text;
      area.addEventListener("input", () => this.takeJson(area, about));
      return area;
    }
    const isLong = kind === "text" && there && (value.length > 80 || value.includes("\n"));
    const input = isLong
      ? make("textarea", { id, rows: 4 })
      : make("input", { id, type: kind === "date" ? "date" : "text",
        inputmode: kind === "number" ? "numeric" : undefined, autocomplete: "off" });
    input.value = there ? String(value) : "";
    input.addEventListener("input", () => {
      if (input.value === "") this.clear(about, false);
      else this.put(path, kind === "number" ? readNumber(input.value) : input.value, false);
    });
    return input;
  }

  /** A choice among values; a value that is none of them is shown, so that it can be seen. */
  select(about, id, options) {
    const { value, path, required } = about;
    const known = options.findIndex(([option]) => option === value);
    const select = make("select", { id });
    if (!required || known < 0) {
      const text = value === undefined || value === null ? "–" : `${JSON.stringify(value)} (not allowed)`;
      select.append(make("option", { value: "" }, text));
    }
    options.forEach(([, text], index) => select.append(make("option", { value: index }, text)));
    select.value = known < 0 ? "" : String(known);
    select.addEventListener("change", () => {
      if (select.value === "") this.clear(about, false);
      else this.put(path, options[Number(select.value)][0], false);
    });
    return select;
  }

  button(text, act) {
    const button = make("button", { type: "button", class: "button small" }, text);
    button.addEventListener("click", act);
    return button;
  }

  remember(wrapper, control, path, id = `field-${(this.count += 1)}`) {
    const said = make("p", { class: "field-error", id: `${id}-error` });
    const described = control === wrapper ? `${id}-error` : `${id}-hint ${id}-was ${id}-error`;
    control.setAttribute("aria-describedby", described);
    this.fields.set(pointerOf(path), { wrapper, control, said, path });
    return said;
  }

  // --- what is changed -------------------------------------------------------------------------

  start(schema) {
    const made = blank(schema, this.root);
    return made === null ? blank(resolve(schema, this.root).schema, this.root) : made;
  }

  at(path) {
    return follow(this.data, path);
  }

  /** Set a value; `rebuild` when other fields come or go with it. */
  put(path, value, rebuild = true) {
    this.at(path.slice(0, -1))[path[path.length - 1]] = value;
    this.edited(rebuild);
  }

  /** Take a value away: an optional one goes, a required one becomes null or empty. */
  clear({ path, required, nullable, schema }, rebuild = true) {
    const parent = this.at(path.slice(0, -1));
    const name = path[path.length - 1];
    if (!required) delete parent[name];
    else parent[name] = nullable || schema.type !== "string" ? null : "";
    this.edited(rebuild);
  }

  takeJson(area, about) {
    try {
      const value = area.value.trim() ? JSON.parse(area.value) : undefined;
      area.setCustomValidity("");
      if (value === undefined) this.clear(about, false);
      else this.put(about.path, value, false);
    } catch (error) {
      area.setCustomValidity(`This is no JSON: ${error.message}`); // keeps it from being sent
      area.reportValidity();
    }
  }

  edited(rebuild) {
    if (rebuild) this.show(this.data);
    else this.markChanges();
    this.onEdit(this.data);
  }

  markChanges() {
    for (const { wrapper, control, path } of this.fields.values()) {
      if (control === wrapper) continue;
      const before = follow(this.original, path);
      const isChanged = JSON.stringify(before) !== JSON.stringify(this.at(path));
      wrapper.classList.toggle("changed", isChanged);
      const said = before === undefined ? "was not there" : `was ${JSON.stringify(before)}`;
      wrapper.querySelector(".was").textContent = isChanged ? said : "";
    }
  }
}

function follow(data, path) {
  return path.reduce((value, part) => {
    const isIn = typeof value === "object" && value !== null && Object.hasOwn(value, part);
    return isIn ? value[part] : undefined;
  }, data);
}

/** What is no number stays text, so that the person sees it named at the field. */
function readNumber(text) {
  const isNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim());
  const number = Number(text);
  return isNumber && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : text;
}
