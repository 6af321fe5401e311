// The theme opens its menu, its filters and the account's choices by clicks on plain elements. Here they
// become buttons with a name, that can be reached and pressed by keyboard.
(() => {
  "use strict";
  const names = { dock_to_right: "Menu", close: "Close the menu", filter_list: "Filters", unfold_more: "Your account" };

  function nameOf(element) {
    const icon = (element.matches(".material-symbols-outlined") ? element : element.querySelector(".material-symbols-outlined"))?.textContent.trim();
    return names[icon];
  }

  // What can be seen is part of the name, so that people who speak to their computer can say it.
  function label(name, element) {
    const bare = element.cloneNode(true);
    bare.querySelectorAll(".material-symbols-outlined").forEach(icon => icon.remove());
    const seen = element.matches(".material-symbols-outlined") ? "" : bare.textContent.trim().replace(/\s+/g, " ");
    return !seen || seen.startsWith(name) ? seen || name : `${name}: ${seen}`;
  }

  function press(event) {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.currentTarget.click();
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const element of document.querySelectorAll("[x-on\\:click]:not(button):not([href]):not(input):not(#changelist-filter-close)")) {
      element.tabIndex = 0;
      element.setAttribute("role", "button");
      const name = nameOf(element);
      if (name) element.setAttribute("aria-label", label(name, element));
      element.addEventListener("keydown", press);
    }
  });
})();
