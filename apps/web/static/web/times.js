// Times in the zone of the browser. <time datetime="…"><span>… UTC</span> <span>… ago</span></time>
// keeps its second part; UTC stays readable in the title. A <time> that holds the relative form alone
// tells the time of the zone in its title. Inside of data-zone="Europe/Lisbon" (where the property is) the
// title tells the time there, too. A datetime-local field with data-utc shows
// that time, and what is typed into it travels as UTC.
(() => {
  "use strict";
  const two = number => String(number).padStart(2, "0");
  const day = at => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = at => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "the browser's zone";

  function placed(at, place) {
    if (!place || place === zone) return "";
    try {
      const there = new Intl.DateTimeFormat("sv-SE", { timeZone: place, dateStyle: "short", timeStyle: "medium" });
      return `${there.format(at)} at the property (${place}), `;
    } catch { // a zone that this browser does not know
      return "";
    }
  }

  function localise(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (isNaN(at)) continue;
      const utc = `${at.toISOString().replace("T", " ").slice(0, 19)} UTC`;
      const here = `${day(at)} ${clock(at)}`;
      const text = time.firstElementChild;
      const there = placed(at, time.closest("[data-zone]")?.dataset.zone);
      time.title = text ? `${there}${utc}; shown in ${zone}` : `${here} (${zone}), ${there}${utc}`;
      if (text) text.textContent = here;
    }
  }

  function localField(field) {
    const at = field.dataset.utc ? new Date(field.dataset.utc) : null;
    if (at && !isNaN(at)) field.value = `${day(at)}T${two(at.getHours())}:${two(at.getMinutes())}`;
    field.form.addEventListener("formdata", event => {
      if (field.value) event.formData.set(field.name, new Date(field.value).toISOString());
    });
  }

  function dropEmpty(form) {
    form.addEventListener("formdata", ({ formData }) => {
      for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    localise(document);
    document.querySelectorAll("input[type=datetime-local]").forEach(localField);
    document.querySelectorAll("form[data-drop-empty]").forEach(dropEmpty);
  });
  document.addEventListener("refreshed", event => localise(event.target));
})();
