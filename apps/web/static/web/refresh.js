// Parts of a page that keep themselves up to date, without flicker.
//
//   <section id="progress" data-refresh="/admin/…/progress/" data-refresh-every="2">…</section>
//
// Every two seconds the address is fetched; it answers the same element again, and only what
// differs is changed: focus, selection, scrolling and opened <details> stay. An answer whose element
// has no data-refresh ends it, and so does 403 or 404. A hidden tab does not ask. When the server
// does not answer, the element carries data-stale and is asked for less and less often, at last every
// 30 seconds.
// After each change the element fires "refreshed".
(() => {
  "use strict";
  const SLOWEST = 30;
  // What a person did to an element is theirs: the server's answer does not take it back.
  const KEPT = { DETAILS: ["open"], INPUT: ["value", "checked"], DIALOG: ["open"] };

  function morph(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    const sameKind = old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName
      && (old.id || "") === (fresh.id || "");
    if (!sameKind) {
      old.replaceWith(fresh.cloneNode(true));
    } else if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
    } else {
      morphAttributes(old, fresh);
      morphChildren(old, fresh);
    }
  }

  function morphAttributes(old, fresh) {
    const kept = KEPT[old.nodeName] || [];
    for (const { name, value } of [...fresh.attributes]) {
      if (!kept.includes(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!kept.includes(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  }

  function morphChildren(old, fresh) {
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    after.forEach((child, index) => {
      if (index < before.length) morph(before[index], child);
      else old.append(child.cloneNode(true));
    });
    before.slice(after.length).forEach((child) => child.remove());
  }

  async function fetchFresh(element) {
    const answer = await fetch(element.dataset.refresh, {
      headers: { "X-Requested-With": "refresh" }, credentials: "same-origin", cache: "no-store",
    });
    if (answer.redirected) {
      location.reload(); // signed out meanwhile: the whole page leads to the form
      return null;
    }
    if (answer.status === 403 || answer.status === 404) delete element.dataset.refresh;
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return element.id ? page.getElementById(element.id) : page.body.firstElementChild;
  }

  function keepFresh(element) {
    const every = () => Math.max(0.2, Number(element.dataset.refreshEvery) || 3);
    let pause = every();
    let timer = 0;

    async function refresh() {
      timer = 0;
      if (!element.isConnected || !element.dataset.refresh) return;
      if (document.hidden) return; // visibilitychange goes on
      try {
        const fresh = await fetchFresh(element);
        if (!fresh) return;
        morph(element, fresh);
        delete element.dataset.stale;
        pause = every();
        element.dispatchEvent(new CustomEvent("refreshed", { bubbles: true }));
      } catch (error) {
        element.dataset.stale = "yes";
        pause = Math.min(SLOWEST, pause * 2);
      }
      if (element.dataset.refresh) plan();
    }

    function plan() {
      timer = setTimeout(refresh, pause * 1000);
    }

    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !timer && element.dataset.refresh) refresh();
    });
    plan();
  }

  document.querySelectorAll("[data-refresh]").forEach(keepFresh);
})();
