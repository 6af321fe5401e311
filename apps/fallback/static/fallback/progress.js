// Takes away what only makes sense while a bulk action runs, once it does not any more.
document.addEventListener("refreshed", (event) => {
  if (event.target.id !== "progress" || event.target.dataset.refresh) return;
  document.querySelectorAll("[data-while-running]").forEach((element) => element.remove());
});
