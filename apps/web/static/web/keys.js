// The theme opens its menu, its filters and the account's choices by clicks on plain elements. Here they
// become buttons with a name, that can be reached and pressed by keyboard.
(() => {
  "use strict";
  const names = { dock_to_right: "Menu", close: "Close the menu", filter_list: "Filters", unfold_more: "Your account" };

  function nameOf(element) {
    const icon = (element.matches(".material-symbols-outlined") ? element : element.querySelector(".material-symbols-outlined"))?.textContent.trim();
    return names[icon];
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
      if (name) element.setAttribute("aria-label", name);
      element.addEventListener("keydown", press);
    }
  });
})();
