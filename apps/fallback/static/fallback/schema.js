// Reading a JSON Schema as pydantic writes it: which control shows a value, and what a new one is.

const DEEPEST = 6;

/** Follow `$ref` and take `null` out of a choice: {schema, nullable}. */
export function resolve(schema, root) {
  let found = schema;
  let nullable = false;
  for (let step = 0; step < 20; step += 1) {
    if (found.$ref) {
      const name = found.$ref.split("/").pop();
      const { $ref, ...beside } = found;
      found = { ...(root.$defs || {})[name], ...beside };
      continue;
    }
    const choices = found.anyOf || found.oneOf;
    if (!choices) break;
    const others = choices.filter((choice) => choice.type !== "null");
    nullable = nullable || others.length < choices.length;
    if (others.length !== 1) break;
    const { anyOf, oneOf, ...beside } = found;
    found = { ...others[0], ...beside };
  }
  return { schema: found, nullable };
}

/** Name the control for a value: object, array, choice, boolean, date, number, text, or json. */
export function kindOf(schema, value, depth) {
  const isAbsent = value === undefined || value === null;
  if (schema.enum || "const" in schema) return "choice";
  switch (schema.type) {
    case "object":
      if (!schema.properties || depth > DEEPEST) return "json";
      return isAbsent || isObject(value) ? "object" : "json";
    case "array":
      if (!schema.items || depth > DEEPEST) return "json";
      return isAbsent || Array.isArray(value) ? "array" : "json";
    case "boolean":
      return isAbsent || typeof value === "boolean" ? "boolean" : "json";
    case "integer":
    case "number":
      return typeof value === "object" && !isAbsent ? "json" : "number";
    case "string":
      if (!isAbsent && typeof value !== "string") return "json";
      return schema.format === "date" && (isAbsent || isDate(value)) ? "date" : "text";
    default:
      return "json";
  }
}

/** Make a value to start from: all that is required, empty. */
export function blank(schema, root) {
  const found = resolve(schema, root);
  if (found.nullable) return null;
  if ("default" in found.schema) return structuredClone(found.schema.default);
  if ("const" in found.schema) return found.schema.const;
  if (found.schema.enum) return found.schema.enum[0];
  switch (found.schema.type) {
    case "object": {
      const made = {};
      for (const name of found.schema.required || []) {
        made[name] = blank(found.schema.properties[name], root);
      }
      return made;
    }
    case "array":
      return found.schema.minItems ? [blank(found.schema.items || {}, root)] : [];
    case "boolean":
      return false;
    case "integer":
    case "number":
      return found.schema.minimum || 0;
    case "string":
      return "";
    default:
      return null;
  }
}

/** Tell whether a browser can carry every number of a JSON text without changing it. */
export function isExact(text) {
  const numbers = text.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d[\d.eE+-]*/g) || [];
  return numbers.every((n) => /[.eE]/.test(n) || Number.isSafeInteger(Number(n)));
}

export const isObject = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const pointerOf = (path) =>
  `#/data${path.map((part) => `/${String(part).replace(/~/g, "~0").replace(/\//g, "~1")}`).join("")}`;

function isDate(text) {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return text === "";
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
