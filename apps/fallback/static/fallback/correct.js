// Correct and retry: the form and the JSON beside it say the same at every moment, and the server's
// check is shown at the fields while one types. Without this script the JSON alone is edited.

import { isExact, isObject } from "./schema.js";
import { SchemaForm } from "./schema_form.js";

const CHECK_AFTER = 400;
const read = (id) => JSON.parse(document.getElementById(id).textContent);

const page = document.getElementById("correction");
const text = document.getElementById("correct-data");
const status = document.getElementById("correct-status");
const summary = document.getElementById("errors");
const fields = document.getElementById("correct-fields");
const pane = document.getElementById("correct-form");
const form = new SchemaForm(fields, {
  schema: read("correct-schema"), original: read("correct-original"), onEdit: takeForm,
});
let asked = 0;
let timer = 0;

function takeForm(data) {
  text.value = JSON.stringify(data, null, 2);
  checkSoon();
}

function takeText() {
  const data = parse();
  pane.classList.toggle("off", data === undefined);
  fields.inert = data === undefined;
  if (data !== undefined) form.show(data);
}

/** Give the object that the JSON is, or undefined with the reason said. */
function parse() {
  const why = document.getElementById("correct-why");
  why.textContent = "";
  try {
    const data = JSON.parse(text.value);
    if (!isObject(data)) why.textContent = "The data is not a JSON object: mend the JSON.";
    else if (!isExact(text.value)) {
      why.textContent = "The data holds numbers that a form would round: edit the JSON.";
    } else return data;
  } catch (error) {
    why.textContent = `The JSON cannot be read: ${error.message}.`;
  }
  return undefined;
}

function checkSoon() {
  clearTimeout(timer);
  status.textContent = "Checking…";
  timer = setTimeout(check, CHECK_AFTER);
}

async function check() {
  const mine = (asked += 1);
  const body = new FormData();
  body.set("data", text.value);
  body.set("csrfmiddlewaretoken", page.querySelector("[name=csrfmiddlewaretoken]").value);
  try {
    const answer = await fetch(page.dataset.check, { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status);
    const { errors, changes } = await answer.json();
    if (mine === asked) show(errors, changes);
  } catch (error) {
    if (mine === asked) status.textContent = "Cannot be checked now: the next step checks it.";
  }
}

function show(errors, changes) {
  const rest = form.showErrors(errors);
  summary.querySelector("ul").replaceChildren(...rest.map(({ pointer, detail }) => {
    const item = document.createElement("li");
    const code = document.createElement("code");
    code.textContent = pointer;
    item.append(code, `: ${detail}`);
    return item;
  }));
  summary.hidden = rest.length === 0;
  text.toggleAttribute("aria-invalid", rest.length > 0);
  if (errors.length) {
    status.textContent = errors.length === 1 ? "1 thing to mend." : `${errors.length} things to mend.`;
  } else if (changes) {
    status.textContent = changes === 1 ? "1 change, and it fits." : `${changes} changes, and they fit.`;
  } else status.textContent = "Nothing is changed yet.";
}

text.addEventListener("input", () => {
  takeText();
  checkSoon();
});
pane.hidden = false;
takeText();
form.showErrors(read("correct-errors"));
